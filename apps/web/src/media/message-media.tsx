import type { Media, TimelineItem } from '@parley/sdk';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../design/icon.jsx';
import { useConversationActions } from '../timeline/conversation-context.js';
import { PictureViewer } from './picture-viewer.jsx';
import { sizeText } from './size-text.js';
import './media.css';

const PICTURE_WIDTH_PX_MAX = 340;
const PICTURE_HEIGHT_PX_MAX = 320;
/** What is narrower than that is cut at its long sides. */
const PICTURE_SIDE_PX_MIN = 96;
/**
 * After which pauses a picture that did not come is asked for again. A smaller one may not be made yet, for which the
 * server keeps each request waiting a while too.
 */
const AGAIN_AFTER_MS = [1_000, 3_000, 8_000, 15_000, 30_000];

const isPicture = ({ mimeType, width }: Media): boolean => mimeType.startsWith('image/') && width !== null;

/** The pictures and files of a message. */
export function MessageMedia({ item }: { item: TimelineItem }) {
  const [shown, setShown] = useState<number | null>(null);
  const { media, askAgain } = useFreshMedia(item);
  const pictures = media.filter(isPicture);
  const files = media.filter((medium) => !isPicture(medium));
  return (
    <>
      {pictures.length > 0 && (
        <div className={pictures.length === 1 ? 'pictures' : 'pictures pictures-several'}>
          {pictures.map((medium, index) => (
            <Picture
              key={medium.mediaId}
              medium={medium}
              isAlone={pictures.length === 1}
              onOpen={() => setShown(index)}
              onBroken={askAgain}
            />
          ))}
        </div>
      )}
      {files.map((medium) => (
        <FileCard key={medium.mediaId} medium={medium} />
      ))}
      {shown !== null && <PictureViewer pictures={pictures} begin={shown} onClose={() => setShown(null)} />}
    </>
  );
}

/** Addresses of media are good for an hour: those of a message that has been here for longer are asked for anew, once. */
function useFreshMedia(item: TimelineItem): { media: readonly Media[]; askAgain: () => void } {
  const { handle } = useConversationActions();
  const [fresh, setFresh] = useState<{ of: readonly Media[]; media: readonly Media[] } | null>(null);
  const [asked, setAsked] = useState<readonly Media[] | null>(null);
  const { messageId, media } = item;
  const askAgain = (): void => {
    if (messageId === null || asked === media) return;
    setAsked(media);
    handle.freshMedia(messageId).then(
      (found) => setFresh({ of: media, media: found }),
      () => undefined,
    );
  };
  return { media: fresh?.of === media ? fresh.media : media, askAgain };
}

/** Its room is there before it is, so that nothing jumps when it comes. */
function Picture(props: { medium: Media; isAlone: boolean; onOpen: () => void; onBroken: () => void }) {
  const { medium, isAlone, onOpen, onBroken } = props;
  const [width, height] = [medium.width ?? 1, medium.height ?? 1];
  const scale = Math.min(1, PICTURE_WIDTH_PX_MAX / width, PICTURE_HEIGHT_PX_MAX / height);
  const [wide, high] = [width, height].map((side) => Math.max(PICTURE_SIDE_PX_MIN, side * scale)) as [number, number];
  const room = isAlone ? { width: wide, aspectRatio: `${wide} / ${high}` } : {};
  const { round, askLater } = useLaterAgain();
  const onError = (): void => {
    onBroken();
    askLater();
  };
  return (
    <button type="button" className="picture" style={room} aria-label={`Picture ${medium.fileName}`} onClick={onOpen}>
      {/* Its address is the same as before, so only a new element asks for it again. */}
      <img
        key={round}
        src={medium.thumbnailUrl ?? medium.url}
        alt=""
        loading="lazy"
        decoding="async"
        onError={onError}
      />
    </button>
  );
}

/** Counts up a pause after each time that it is asked to, a few times, while its user is shown. */
function useLaterAgain(): { round: number; askLater: () => void } {
  const [round, setRound] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const askLater = (): void => {
    const pauseMs = AGAIN_AFTER_MS[round];
    if (pauseMs === undefined) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setRound(round + 1), pauseMs);
  };
  return { round, askLater };
}

function FileCard({ medium }: { medium: Media }) {
  const download = `${medium.url}${medium.url.includes('?') ? '&' : '?'}download=1`;
  return (
    <a className="file-card" href={download} download={medium.fileName} rel="noopener">
      <Icon name="file" />
      <span className="attachment-lines">
        <span className="attachment-name">{medium.fileName}</span>
        <span className="file-size">{sizeText(medium.sizeBytes)}</span>
      </span>
      <Icon name="download" />
    </a>
  );
}
