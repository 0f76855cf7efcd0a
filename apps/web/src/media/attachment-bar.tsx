import { Icon, IconButton } from '../design/icon.jsx';
import type { Attachment, Attachments } from './attachments.js';
import { sizeText } from './size-text.js';

/** The files that will go with the message, and how far their uploads are. */
export function AttachmentBar({ attachments, all }: { attachments: Attachments; all: readonly Attachment[] }) {
  if (all.length === 0) return null;
  return (
    <ul className="attachments" aria-label="Attached files">
      {all.map((attachment) => (
        <li key={attachment.id} className="attachment">
          <AttachmentPicture attachment={attachment} />
          <span className="attachment-lines">
            <span className="attachment-name">{attachment.file.name}</span>
            <AttachmentState attachment={attachment} onRetry={() => attachments.retry(attachment.id)} />
          </span>
          <IconButton
            icon="close"
            label={`Remove ${attachment.file.name}`}
            onClick={() => attachments.remove(attachment.id)}
          />
        </li>
      ))}
    </ul>
  );
}

function AttachmentPicture({ attachment: { previewUrl } }: { attachment: Attachment }) {
  return (
    <span className="attachment-picture">{previewUrl ? <img src={previewUrl} alt="" /> : <Icon name="file" />}</span>
  );
}

function AttachmentState({ attachment, onRetry }: { attachment: Attachment; onRetry: () => void }) {
  const { fault, mayRetry, media, progress, file } = attachment;
  if (fault !== '') {
    return (
      <span className="fault" role="alert">
        {fault}{' '}
        {mayRetry && (
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </span>
    );
  }
  if (media) return <span className="hint">{sizeText(file.size)}</span>;
  return <progress aria-label={`Uploading ${file.name}`} value={progress} max={1} />;
}
