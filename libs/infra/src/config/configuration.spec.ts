import { describe, expect, it } from 'vitest';
import { ALL_SETTINGS } from './configuration.js';

describe('the names of the settings', () => {
  it('are the ones that deployments and tools rely on: a new name would silently leave the default in force', () => {
    const promised = `
      PORT HOST DATABASE_URL DATA_DIR PROFILE PUBLIC_URL LOG_LEVEL METRICS_PORT ALLOWED_ORIGINS
      RATE_LIMITS GROUP_MEMBERS_MAX AUTH_JWT_SECRET AUTH_ACCESS_TOKEN_SECONDS AUTH_EXTERNAL_JWT_SECRET
      AUTH_EXTERNAL_JWKS_URL AUTH_EXTERNAL_ISSUER AUTH_EXTERNAL_AUDIENCE KAFKA_BROKERS
      CASSANDRA_CONTACT_POINTS CASSANDRA_LOCAL_DC REDIS_URL MEDIA_MAX_BYTES MEDIA_USER_QUOTA_BYTES
      S3_ENDPOINT S3_BUCKET S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY S3_REGION APNS_URL APNS_KEY_FILE
      APNS_KEY_ID APNS_TEAM_ID APNS_TOPIC FCM_URL FCM_SERVICE_ACCOUNT_FILE VAPID_SUBJECT VAPID_PUBLIC_KEY
      VAPID_PRIVATE_KEY`;
    const names = new Set(ALL_SETTINGS.map(({ name }) => name));
    expect(
      promised
        .trim()
        .split(/\s+/)
        .filter((name) => !names.has(name)),
    ).toEqual([]);
  });
});
