/** The brokers that `npm run test:cluster` has started, or those that are named in the environment. */
export function testBrokers(): string[] {
  const brokers = process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('KAFKA_BROKERS is not set: run this with npm run test:cluster');
  return brokers.split(',');
}
