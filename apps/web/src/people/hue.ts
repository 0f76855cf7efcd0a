const HUES = 8;

/** One of eight colours, always the same one for an id. */
export function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
  return sum % HUES;
}

/** Up to two letters, by whole characters: of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/u).filter((word) => /[\p{L}\p{N}\p{Emoji_Presentation}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => {
    const [first] = new Intl.Segmenter().segment((word ?? '').replace(/^[^\p{L}\p{N}\p{Emoji_Presentation}]+/u, ''));
    return first?.segment ?? '';
  });
  return letters.join('').toLocaleUpperCase() || '?';
}
