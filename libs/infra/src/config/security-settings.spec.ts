import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfiguration } from './load-configuration.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfiguration(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('how connections to the engines are secured', () => {
  it('is as it was when nothing is said', () => {
    const { security } = loadConfiguration({});
    expect(security).toMatchObject({ kafkaTls: 'off', kafkaSaslMechanism: 'off', cassandraTls: 'off' });
  });

  it.each([
    [{ KAFKA_TLS_CA_FILE: 'ca.pem' }, 'KAFKA_TLS_CA_FILE needs KAFKA_TLS=on'],
    [{ CASSANDRA_TLS_CA_FILE: 'ca.pem' }, 'CASSANDRA_TLS_CA_FILE needs CASSANDRA_TLS=on'],
    [
      { REDIS_TLS_CA_FILE: 'ca.pem', REDIS_URL: 'redis://r' },
      'REDIS_TLS_CA_FILE needs a REDIS_URL that begins with rediss://',
    ],
    [{ KAFKA_SASL_USERNAME: 'u' }, 'KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM'],
    [
      { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'u' },
      'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
    ],
  ])('is refused half-said: %o', (environment, problem) => {
    expect(problemsOf(environment)).toEqual([problem]);
  });

  it('never shows the password in a problem', () => {
    const given = { KAFKA_SASL_PASSWORD: 'very-secret' };
    expect(problemsOf(given)).toEqual(['KAFKA_SASL_PASSWORD needs KAFKA_SASL_MECHANISM']);
  });

  it('takes all of it', () => {
    const environment = {
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: 'ca.pem',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'parley',
      KAFKA_SASL_PASSWORD: 'secret',
      CASSANDRA_TLS: 'on',
      REDIS_URL: 'rediss://r:6380',
      REDIS_TLS_CA_FILE: 'ca.pem',
    };
    expect(problemsOf(environment)).toEqual([]);
  });
});
