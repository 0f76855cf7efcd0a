import { z } from 'zod';
import { DeviceIdSchema, TimeSchema } from '../primitives/ids.js';
import { pageSchema } from '../primitives/paging.js';

export const PUSH_TOKEN_CHARS_MAX = 4_096;
export const PUSH_ENDPOINT_CHARS_MAX = 2_048;

/** What a browser's `PushSubscription.toJSON()` gives. */
export const WebPushSubscriptionSchema = z
  .strictObject({
    endpoint: z.url({ protocol: /^https?$/, error: 'A URL' }).max(PUSH_ENDPOINT_CHARS_MAX),
    expirationTime: z.number().nullable().optional(),
    keys: z.strictObject({
      p256dh: z.string().regex(/^B[A-Za-z0-9_-]{86}=?$/, 'An uncompressed P-256 point, base64url'),
      auth: z.string().regex(/^[A-Za-z0-9_-]{22}(==)?$/, '16 bytes, base64url'),
    }),
  })
  .meta({ id: 'WebPushSubscription' });
export type WebPushSubscription = z.infer<typeof WebPushSubscriptionSchema>;

const apnsToken = z
  .string()
  .regex(/^([0-9a-fA-F]{2}){32,100}$/, '32 to 100 bytes in hexadecimal')
  .toLowerCase();
const fcmToken = z
  .string()
  .max(PUSH_TOKEN_CHARS_MAX)
  .regex(/^[A-Za-z0-9_:.-]+$/, 'A registration token');

/** Body of PUT /v1/devices/{deviceId}. */
export const RegisterDeviceSchema = z
  .discriminatedUnion('provider', [
    z.strictObject({ platform: z.literal('ios'), provider: z.literal('apns'), pushToken: apnsToken }),
    z.strictObject({ platform: z.enum(['android', 'ios', 'web']), provider: z.literal('fcm'), pushToken: fcmToken }),
    z.strictObject({
      platform: z.literal('web'),
      provider: z.literal('webpush'),
      pushToken: WebPushSubscriptionSchema,
    }),
  ])
  .meta({
    id: 'RegisterDevice',
    examples: [
      { platform: 'android', provider: 'fcm', pushToken: 'cR1rQbYkT0:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx' },
      {
        platform: 'ios',
        provider: 'apns',
        pushToken: '740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad',
      },
      {
        platform: 'web',
        provider: 'webpush',
        pushToken: {
          endpoint: 'https://push.example.com/send/2f1c9a528f0e4c8e',
          keys: {
            p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
            auth: 'BTBZMqHH6r4Tts7J_aSIgg',
          },
        },
      },
    ],
  });
export type RegisterDevice = z.infer<typeof RegisterDeviceSchema>;
export type PushProviderName = RegisterDevice['provider'];

export const DeviceSchema = z
  .object({
    deviceId: DeviceIdSchema,
    platform: z.enum(['ios', 'android', 'web']),
    provider: z.enum(['apns', 'fcm', 'webpush']),
    pushToken: z.union([z.string(), WebPushSubscriptionSchema]),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .meta({
    id: 'Device',
    examples: [
      {
        deviceId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90',
        platform: 'android',
        provider: 'fcm',
        pushToken: 'cR1rQbYkT0:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx',
        createdAt: '2026-11-22T10:00:00.000Z',
        updatedAt: '2026-11-22T10:00:00.000Z',
      },
    ],
  });
export type Device = z.infer<typeof DeviceSchema>;

export const DeviceListSchema = pageSchema('DeviceList', DeviceSchema);

export const VapidKeySchema = z
  .object({ publicKey: z.string().meta({ description: 'For `applicationServerKey` of `pushManager.subscribe`' }) })
  .meta({
    id: 'VapidKey',
    examples: [
      { publicKey: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4' },
    ],
  });
export type VapidKey = z.infer<typeof VapidKeySchema>;
