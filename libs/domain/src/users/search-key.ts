/**
 * The form in which names are compared: composed, lower case, one small sigma. Made here on both sides, stored and asked,
 * because what a database makes of lower() depends on its locale.
 */
export function searchKey(text: string): string {
  return text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ');
}
