import { readFile } from 'node:fs/promises';
import type { Arrived, ServiceBehaviour } from '../../libs/domain/src/notifications/push-provider.port.contract.js';
import { makeCertificates } from '../cluster/certificates.js';

/** What every stand-in of a push service has: a behaviour that tests set, and what arrived. */
export abstract class PushService {
  behaviour: ServiceBehaviour = { is: 'accepts' };
  readonly arrived: Arrived[] = [];
  requests = 0;
  /** Called in the same turn in which something arrived, so that nothing else arrives before what it sets is in force. */
  onArrival: () => void = () => {};

  /** What was accepted is answered after this. */
  hold: () => Promise<void> = () => Promise.resolve();

  behave(behaviour: ServiceBehaviour): void {
    this.behaviour = behaviour;
  }

  protected keep(arrived: Arrived): void {
    this.arrived.push(arrived);
    this.onArrival();
  }

  abstract readonly url: string;
  abstract close(): Promise<void>;
}

export interface ServerCertificates {
  key: string;
  cert: string;
  /** Who signed it. */
  ca: string;
  caFile: string;
  /** Somebody else. */
  strangerCa: string;
  remove: () => Promise<void>;
}

export async function makeServerCertificates(): Promise<ServerCertificates> {
  const { keyFile, certificateFile, caFile, strangerCaFile, ...made } = await makeCertificates();
  const files = [keyFile, certificateFile, caFile, strangerCaFile].map((file) => readFile(file, 'utf8'));
  const [key, cert, ca, strangerCa] = (await Promise.all(files)) as [string, string, string, string];
  return { key, cert, ca, caFile, strangerCa, remove: () => made.remove() };
}
