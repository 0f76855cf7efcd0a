/**
 * What the server takes at most, for the fields and counters of a form; beyond it a request is refused with
 * `validation_failed` and changes nothing. Characters are Unicode code points, where `maxlength` of an input counts an emoji
 * as two or more. Files have limits of the operator's, which are told by the refusal of an upload.
 */
export const LIMITS = {
  messageCharacters: 100_000,
  mediaPerMessage: 10,
  conversationNameCharacters: 100,
  displayNameCharacters: 64,
  statusTextCharacters: 140,
  /** Of `a-z 0-9 _ . -`. */
  usernameCharacters: 32,
  passwordCharactersMin: 8,
  passwordCharacters: 128,
  userSearchCharacters: 64,
} as const;
