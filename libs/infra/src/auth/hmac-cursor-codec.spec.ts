import { cursorCodecContract } from '../../../domain/src/ports/cursor-codec.port.contract.js';
import { HmacCursorCodec } from './hmac-cursor-codec.js';

cursorCodecContract('keyed hash', (secret) => new HmacCursorCodec(secret));
