import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useNotices } from '../notices/notices.jsx';
import { useSignedIn } from '../state/signed-in.js';
import { type Attachment, Attachments, ATTACHMENTS_MAX } from './attachments.js';

export interface UsedAttachments {
  readonly attachments: Attachments;
  readonly all: readonly Attachment[];
  readonly add: (files: readonly File[]) => void;
}

/** The files of the message that is being written; what was not sent goes when the conversation is left. */
export function useAttachments(): UsedAttachments {
  const { client } = useSignedIn();
  const { show } = useNotices();
  const attachments = useMemo(() => new Attachments(client), [client]);
  useEffect(() => () => attachments.clear(), [attachments]);
  const all = useSyncExternalStore(attachments.subscribe, () => attachments.all);
  const add = (files: readonly File[]): void => {
    if (attachments.add(files) > 0) show(`A message carries at most ${ATTACHMENTS_MAX} files.`);
  };
  return { attachments, all, add };
}
