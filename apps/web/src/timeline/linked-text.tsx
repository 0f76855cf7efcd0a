import { memo } from 'react';
import { textParts } from './text-parts.js';

/** A text as it was written, with its web addresses as links. Nothing of it is ever markup. */
export const LinkedText = memo(function LinkedText({ text }: { text: string }) {
  return textParts(text).map((part, index) =>
    part.href === undefined ? (
      part.text
    ) : (
      <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
        {part.text}
      </a>
    ),
  );
});
