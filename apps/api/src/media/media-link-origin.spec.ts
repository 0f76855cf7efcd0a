import { describe, expect, it } from 'vitest';
import { FolderMediaStorage } from '../../../../libs/infra/src/folder/folder-media-storage.js';
import { S3MediaStorage, type S3Settings } from '../../../../libs/infra/src/s3/s3-media-storage.js';
import { mediaLinkOrigins } from './media-link-origin.js';

const bucket: S3Settings = {
  endpoint: 'http://10.0.0.5:9000/base',
  region: 'eu-central-1',
  bucket: 'pictures',
  credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  keyPrefix: 'media/',
  signedLinks: true,
  publicEndpoint: undefined,
};

describe('where browsers are sent for media', () => {
  it.each([
    ['the S3 server', {}, ['http://10.0.0.5:9000']],
    ['its public address', { publicEndpoint: 'https://files.example/s3' }, ['https://files.example']],
    ["the bucket's host at Amazon", { endpoint: undefined }, ['https://pictures.s3.eu-central-1.amazonaws.com']],
    [
      'the path of a bucket that no host name can have',
      { endpoint: undefined, bucket: 'my.pictures' },
      ['https://s3.eu-central-1.amazonaws.com'],
    ],
    ['nowhere while links are off', { signedLinks: false }, []],
  ])('is %s', async (_where, changes, origins) => {
    const storage = new S3MediaStorage({ ...bucket, ...changes });
    expect(await mediaLinkOrigins(storage)).toEqual(origins);
    storage.close();
  });

  it('is nowhere while files lie in a folder', async () => {
    expect(await mediaLinkOrigins(new FolderMediaStorage('not looked at'))).toEqual([]);
  });
});
