export type TextPart = { readonly text: string; readonly href?: string };

const ADDRESS = /https?:\/\/[^\s<>"'`\u00a0]+/giu;
/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?…»”’]+$/u;

/** Cuts a text into plain parts and web addresses. Only http and https become links; everything else stays text. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = addressIn(match[0]);
    if (address === null) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push({ text: address, href: new URL(address).href });
    from = match.index + address.length;
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from) });
  return parts;
}

function addressIn(candidate: string): string | null {
  let address = candidate.replace(TRAILING, '');
  // A bracket belongs to the address only if it was opened in it.
  while (address.endsWith(')') && address.split('(').length < address.split(')').length) {
    address = address.slice(0, -1).replace(TRAILING, '');
  }
  return URL.canParse(address) && new URL(address).hostname !== '' ? address : null;
}

/** Pictures and what joins and colours them. The property that knows whole sequences takes 100 ms to compile. */
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s){1,40}$/u;

/** Up to three emoji and nothing else, which are shown larger. */
export function isFewEmoji(text: string): boolean {
  if (!ONLY_EMOJI.test(text)) return false;
  const { length } = [...new Intl.Segmenter().segment(text.replace(/\s/g, ''))];
  return length >= 1 && length <= 3;
}
