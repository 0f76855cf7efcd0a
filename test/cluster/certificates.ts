import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An authority of the test's own and what it signed for this machine, as PEM files; made with the program `openssl`. */
export interface Certificates {
  caFile: string;
  /** Of an authority that has signed nothing here. */
  strangerCaFile: string;
  certificateFile: string;
  keyFile: string;
  /** Key and certificate in one, as Kafka wants them. */
  keyAndCertificateFile: string;
  remove(): Promise<void>;
}

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-certificates-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  for (const name of ['ca', 'stranger']) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      ...subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  }
  await openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  );
  await writeFile(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
  const both = await Promise.all(['server.key', 'server.pem'].map((name) => readFile(file(name), 'utf8')));
  await writeFile(file('both.pem'), both.join(''));
  return {
    caFile: file('ca.pem'),
    strangerCaFile: file('stranger.pem'),
    certificateFile: file('server.pem'),
    keyFile: file('server.key'),
    keyAndCertificateFile: file('both.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
