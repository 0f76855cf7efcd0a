import { mediaLinksContract } from '../../../domain/src/media/media-links.port.contract.js';
import { HmacMediaLinks } from './hmac-media-links.js';

mediaLinksContract('HmacMediaLinks', (now) => ({
  links: new HmacMediaLinks('a secret of these tests', now),
  others: new HmacMediaLinks('the secret of another server', now),
}));
