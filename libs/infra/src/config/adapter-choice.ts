/** The texts of the variables that are set, defaults of the profile among them. */
type Given = Readonly<Record<string, string | undefined>>;

const NEEDS: readonly { when: readonly [name: string, value: string]; variable: string }[] = [
  { when: ['COMMAND_LOG', 'kafka'], variable: 'KAFKA_BROKERS' },
  { when: ['EVENT_STREAM', 'kafka'], variable: 'KAFKA_BROKERS' },
  { when: ['MESSAGE_STORE', 'cassandra'], variable: 'CASSANDRA_CONTACT_POINTS' },
  { when: ['BROADCAST', 'redis'], variable: 'REDIS_URL' },
  { when: ['MEDIA_STORAGE', 's3'], variable: 'S3_BUCKET' },
];

/** Choices of adapters that cannot work together, or lack what they need; a sentence for each. */
export function adapterContradictions(given: Given): string[] {
  const problems = new Set<string>();
  for (const { when, variable } of NEEDS) {
    const [name, value] = when;
    if (given[name] === value && !given[variable]) problems.add(`${name}=${value} needs ${variable}`);
  }
  const { COMMAND_LOG = 'memory', EVENT_STREAM = 'postgres', MESSAGE_STORE = 'postgres' } = given;
  if (COMMAND_LOG === 'memory' && (EVENT_STREAM !== 'postgres' || MESSAGE_STORE !== 'postgres')) {
    problems.add(
      'COMMAND_LOG=memory needs EVENT_STREAM=postgres and MESSAGE_STORE=postgres: it journals commands in the statement that writes both',
    );
  }
  if (Boolean(given.CASSANDRA_USERNAME) !== Boolean(given.CASSANDRA_PASSWORD)) {
    problems.add('CASSANDRA_USERNAME and CASSANDRA_PASSWORD must be set together');
  }
  if (Boolean(given.S3_ACCESS_KEY_ID) !== Boolean(given.S3_SECRET_ACCESS_KEY)) {
    problems.add('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together');
  }
  if (given.PROFILE === 'cluster') for (const problem of clusterContradictions(given)) problems.add(problem);
  return [...problems];
}

/** What would have each process work for itself alone. */
function clusterContradictions({ COMMAND_LOG, BROADCAST, DATABASE_URL, AUTH_JWT_SECRET }: Given): string[] {
  const problems: string[] = [];
  if (COMMAND_LOG === 'memory')
    problems.push('COMMAND_LOG must be postgres or kafka in a cluster: other processes cannot read a memory');
  if (BROADCAST === 'memory')
    problems.push('BROADCAST must be redis in a cluster: other processes hear nothing of a memory');
  if (!DATABASE_URL) problems.push('PROFILE=cluster needs DATABASE_URL: its processes share one Postgres');
  if (!AUTH_JWT_SECRET)
    problems.push('PROFILE=cluster needs AUTH_JWT_SECRET: each process checks the tokens that others signed');
  return problems;
}
