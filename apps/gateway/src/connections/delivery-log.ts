/** Where one device stands in one conversation. Acknowledgements are cumulative, so two numbers say it all. */
export interface DeliveryTrack {
  readonly conversationId: string;
  /** The first seq that this connection was sent; acknowledgements below it say nothing about what we sent. */
  readonly firstSeq: number;
  sentSeq: number;
  ackedSeq: number;
  /** When the oldest message that is not acked was sent; milliseconds since the epoch. */
  waitingSince: number;
  resends: number;
}

/** Conversations that one connection is tracked in. A device that is in more of them falls back on heads and sync. */
export const TRACKS_PER_CONNECTION_MAX = 1_000;

/** What one connection was sent and has acked, for sending again. Bounded: see `overflowed`. */
export class DeliveryLog {
  private readonly tracks = new Map<string, DeliveryTrack>();
  /** Devices that never ack (a browser tab of another client library, say) are not sent anything twice. */
  acks = false;

  /** False when there is no room: the connection is to be told to `resync`, and the log has been emptied. */
  sent(conversationId: string, seq: number, now: number): boolean {
    const track = this.tracks.get(conversationId);
    if (track) {
      if (seq <= track.sentSeq) return true;
      if (track.ackedSeq === track.sentSeq) {
        track.waitingSince = now;
        track.resends = 0;
      }
      track.sentSeq = seq;
      return true;
    }
    const room = this.tracks.size < TRACKS_PER_CONNECTION_MAX || this.forgetAcked();
    if (!room) this.tracks.clear();
    this.tracks.set(conversationId, {
      conversationId,
      firstSeq: seq,
      sentSeq: seq,
      ackedSeq: seq - 1,
      waitingSince: now,
      resends: 0,
    });
    return room;
  }

  /** The device has everything up to `seq`. */
  acked(conversationId: string, seq: number, now: number): void {
    this.acks = true;
    const track = this.tracks.get(conversationId);
    if (!track || seq <= track.ackedSeq) return;
    track.ackedSeq = Math.min(seq, track.sentSeq);
    track.waitingSince = now;
    track.resends = 0;
  }

  /** Whether this connection was sent that message, so that its ack needs no look-up and no further check. */
  wasSent(conversationId: string, seq: number): boolean {
    const track = this.tracks.get(conversationId);
    return track !== undefined && seq >= track.firstSeq && seq <= track.sentSeq;
  }

  /** False after the conversation was forgotten, also when it has been begun anew since. */
  holds(track: DeliveryTrack): boolean {
    return this.tracks.get(track.conversationId) === track;
  }

  forget(conversationId: string): void {
    this.tracks.delete(conversationId);
  }

  /** Those that wait for an ack for longer than their next step allows. */
  *overdue(now: number, stepsMs: readonly number[]): Generator<DeliveryTrack> {
    if (!this.acks) return;
    for (const track of this.tracks.values()) {
      const stepMs = stepsMs[track.resends];
      if (track.ackedSeq < track.sentSeq && stepMs !== undefined && now - track.waitingSince >= stepMs) yield track;
    }
  }

  private forgetAcked(): boolean {
    for (const track of this.tracks.values()) {
      if (track.ackedSeq >= track.sentSeq) this.tracks.delete(track.conversationId);
    }
    return this.tracks.size < TRACKS_PER_CONNECTION_MAX;
  }
}
