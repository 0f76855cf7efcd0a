/** Of a group, in code points; a field counts some of them as two, and never allows more. */
export const CONVERSATION_NAME_CHARS_MAX = 100;
