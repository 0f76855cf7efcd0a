import { choice, integer, optionalText, optionalUrl, rateLimit, secretText, text } from './setting.js';

const MINUTE_MS = 60_000;

/** Uploaded files: where they lie, and what bounds them. */
export const MEDIA_SETTINGS = {
  media: {
    storage: choice('MEDIA_STORAGE', {
      description:
        'Where uploaded files lie. `folder`: in `DATA_DIR/media`, which every process must see. `auto`: `s3` if `S3_BUCKET` is set, `folder` otherwise.',
      options: ['auto', 'folder', 's3'],
      default: 'auto',
    }),
    fileBytesMax: integer('MEDIA_MAX_BYTES', {
      description: 'Bytes of an uploaded file.',
      default: 26_214_400,
      max: 1_000_000_000,
    }),
    userQuotaBytes: integer('MEDIA_USER_QUOTA_BYTES', {
      description: 'Bytes of all uploaded files of a user.',
      default: 1_073_741_824,
      max: 1_000_000_000_000_000,
    }),
    pixelsMax: integer('MEDIA_PIXELS_MAX', {
      description: 'Pixels of an uploaded picture; of a larger one nothing is decoded.',
      default: 50_000_000,
      max: 250_000_000,
    }),
    uploadsPerUser: rateLimit('RATE_LIMIT_UPLOADS_PER_USER_MINUTE', {
      description: 'Uploads of a user, in a minute.',
      limit: 60,
      windowMs: MINUTE_MS,
    }),
  },
  s3: {
    endpoint: optionalUrl('S3_ENDPOINT', {
      description: 'A server that speaks the S3 protocol. Unset: that of Amazon in `S3_REGION`.',
      protocols: ['http:', 'https:'],
    }),
    bucket: optionalText('S3_BUCKET', { description: 'The bucket for uploaded files; it must exist.' }),
    region: text('S3_REGION', { description: 'Its region.', default: 'us-east-1' }),
    accessKeyId: optionalText('S3_ACCESS_KEY_ID', {
      description: 'The account there. Unset: the one that the machine itself has at Amazon.',
    }),
    secretAccessKey: secretText('S3_SECRET_ACCESS_KEY', { description: 'Its secret.', charsMin: 1 }),
    keyPrefix: text('S3_KEY_PREFIX', {
      description: 'Before the names of all objects.',
      default: 'media/',
      pattern: /^[A-Za-z0-9/._-]{1,200}$/,
      expected: 'must be letters, digits, slashes, dots, dashes and underscores',
    }),
    signedLinks: choice('S3_SIGNED_LINKS', {
      description:
        '`on`: who may see a file is sent to the S3 server, with a link that is good for five minutes. `off`: the bytes go through this server.',
      options: ['on', 'off'],
      default: 'on',
    }),
    publicEndpoint: optionalUrl('S3_PUBLIC_ENDPOINT', {
      description: 'Where browsers reach the S3 server, if that is not `S3_ENDPOINT`.',
      protocols: ['http:', 'https:'],
    }),
  },
};
