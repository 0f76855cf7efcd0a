/** Milliseconds of a parameter as an interval. */
const ms = (parameter: string): string => `make_interval(secs => ${parameter}::double precision / 1000)`;

/** Places of `push_message` for each conversation. */
const SLOTS = 16;
/** Whether the message that a row of this name is about was deleted, as far as the last messages tell. */
const isDeleted = (
  row: string,
): string => `EXISTS (SELECT FROM push_message p WHERE p.conversation_id = ${row}.conversation_id
     AND p.slot = ${row}.seq % ${SLOTS} AND p.message_id = ${row}.message_id AND p.is_deleted)`;

export const RECIPIENTS = `SELECT m.user_id FROM conversation_member m
 WHERE m.conversation_id = $1 AND m.removed_at IS NULL AND m.user_id <> $2
   AND m.visible_from_seq <= $3 AND m.read_seq < $3
   AND (m.muted_until IS NULL OR m.muted_until <= clock_timestamp())
   AND ($4::uuid IS NULL OR m.user_id > $4)
   AND EXISTS (SELECT FROM user_devices d WHERE d.user_id = m.user_id AND d.provider = ANY ($6))
 ORDER BY m.user_id LIMIT $5`;

// Devices in one order, so that two conversations cannot wait for each other's rows.
// What waits because its provider failed goes on waiting; what is being sent is followed by this one.
export const ADD = `WITH kept AS (
   INSERT INTO push_message AS p (conversation_id, slot, seq, message_id, sender_id, content_type, preview, sent_at)
   VALUES ($1, $2::bigint % ${SLOTS}, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0))
   ON CONFLICT (conversation_id, slot) DO UPDATE SET seq = excluded.seq, message_id = excluded.message_id,
     sender_id = excluded.sender_id, content_type = excluded.content_type, preview = excluded.preview,
     sent_at = excluded.sent_at, is_deleted = false
   WHERE p.message_id < excluded.message_id)
 INSERT INTO push_outbox AS o (user_id, device_id, conversation_id, provider, kind, first_seq, seq,
   message_id, sender_id, content_type, preview, sent_at, unless_delivered, due_at)
 SELECT d.user_id, d.device_id, $1, d.provider, 'message', $2, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0),
   r.unless_delivered,
   CASE WHEN r.unless_delivered THEN to_timestamp($7::bigint / 1000.0) + ${ms('$10')} ELSE clock_timestamp() END
 FROM unnest($8::uuid[], $9::boolean[]) AS r (user_id, unless_delivered)
 JOIN user_devices d ON d.user_id = r.user_id AND d.provider = ANY ($11)
 WHERE NOT EXISTS (SELECT FROM push_shown s WHERE s.user_id = d.user_id AND s.device_id = d.device_id
   AND s.conversation_id = $1 AND s.seq >= $2)
 ORDER BY d.user_id, d.device_id
 ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE SET
   provider = excluded.provider, kind = 'message', seq = excluded.seq, message_id = excluded.message_id,
   sender_id = excluded.sender_id, content_type = excluded.content_type, preview = excluded.preview,
   sent_at = excluded.sent_at,
   first_seq = CASE WHEN o.kind = 'message' THEN o.first_seq ELSE excluded.seq END,
   unless_delivered = excluded.unless_delivered AND (o.kind = 'clear' OR o.unless_delivered),
   due_at = CASE WHEN o.claim IS NOT NULL OR o.attempts > 0 THEN o.due_at
     WHEN o.kind = 'clear' THEN excluded.due_at ELSE least(o.due_at, excluded.due_at) END
 WHERE o.seq < excluded.seq OR (o.kind = 'clear' AND o.seq <= excluded.seq AND o.message_id < excluded.message_id)`;

export const EDITED = `UPDATE push_outbox SET preview = $3
 WHERE conversation_id = $1 AND seq = $2 AND kind = 'message' AND content_type <> 'encrypted'`;

export const EDITED_KEPT = `UPDATE push_message SET preview = $3
 WHERE conversation_id = $1 AND slot = $2::bigint % ${SLOTS} AND seq = $2 AND NOT is_deleted
   AND content_type <> 'encrypted'`;

const CLEAR_SHOWN = (where: string, from: string): string => `INSERT INTO push_outbox AS o (user_id, device_id,
   conversation_id, provider, kind, first_seq, seq, message_id, unless_delivered, due_at)
 SELECT s.user_id, s.device_id, s.conversation_id, d.provider, 'clear', coalesce(s.first_seq, s.seq), s.seq,
   s.message_id, false,
   clock_timestamp()
 FROM ${from} JOIN user_devices d ON d.user_id = s.user_id AND d.device_id = s.device_id
 WHERE ${where}
 ORDER BY s.user_id, s.device_id
 ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE SET kind = 'clear', seq = excluded.seq,
   first_seq = excluded.seq, message_id = excluded.message_id, unless_delivered = false, attempts = 0,
   due_at = excluded.due_at
 WHERE o.claim IS NULL AND o.seq <= excluded.seq AND (o.kind <> 'clear' OR o.message_id <> excluded.message_id)`;

// A task that is being sent is left to whoever finishes it, who looks at what was read.
export const DROP_READ = `DELETE FROM push_outbox o USING unnest($2::uuid[], $3::bigint[]) AS r (user_id, seq)
 WHERE o.conversation_id = $1 AND o.user_id = r.user_id AND o.kind = 'message' AND o.seq <= r.seq AND o.claim IS NULL`;
export const CLEAR_READ = CLEAR_SHOWN(
  's.seq <= r.seq',
  `unnest($2::uuid[], $3::bigint[]) AS r (user_id, seq)
   JOIN push_shown s ON s.user_id = r.user_id AND s.conversation_id = $1`,
);

// Whoever is sending it at this moment finds it here, as does whoever takes the same event once more.
export const MARK_DELETED = `INSERT INTO push_message AS p (conversation_id, slot, seq, message_id, sent_at, is_deleted)
 VALUES ($1, $2::bigint % ${SLOTS}, $2, $3, clock_timestamp(), true)
 ON CONFLICT (conversation_id, slot) DO UPDATE SET seq = excluded.seq, message_id = excluded.message_id,
   sender_id = NULL, content_type = NULL, preview = NULL, sent_at = excluded.sent_at, is_deleted = true
 WHERE p.message_id <= excluded.message_id`;
/**
 * Of the messages that a task stands for the newest before its last one that is neither deleted, nor read, nor its
 * reader's own, takes the task over. A task without one stays as it is.
 */
const FALL_BACK = (where: string, set: string): string => `UPDATE push_outbox o SET kind = 'message', seq = e.seq,
   message_id = e.message_id, sender_id = e.sender_id, content_type = e.content_type, preview = e.preview,
   sent_at = e.sent_at${set}
 FROM (SELECT o.user_id, o.device_id, p.* FROM push_outbox o CROSS JOIN LATERAL (
     SELECT p.* FROM push_message p
     JOIN conversation_member m ON m.conversation_id = p.conversation_id AND m.user_id = o.user_id
     WHERE p.conversation_id = o.conversation_id AND p.seq >= o.first_seq AND p.seq < o.seq AND NOT p.is_deleted
       AND p.sender_id <> o.user_id AND m.removed_at IS NULL AND p.seq >= m.visible_from_seq AND p.seq > m.read_seq
     ORDER BY p.seq DESC LIMIT 1) p
   WHERE ${where}) e
 WHERE o.user_id = e.user_id AND o.device_id = e.device_id AND o.conversation_id = e.conversation_id AND ${where}`;
const WAITS = `o.conversation_id = $1 AND o.seq = $2 AND o.kind = 'message' AND o.claim IS NULL`;
export const FALL_BACK_WAITING = FALL_BACK(WAITS, '');
export const DROP_DELETED = `DELETE FROM push_outbox o WHERE ${WAITS}`;
// With it all that something newer kept from being taken away, which may have gone just now.
export const CLEAR_DELETED = CLEAR_SHOWN(
  `s.conversation_id = $1 AND m.conversation_id = $1 AND m.removed_at IS NULL
     AND (s.message_id = $2 OR s.seq <= m.read_seq OR ${isDeleted('s')})`,
  `conversation_member m JOIN push_shown s ON s.user_id = m.user_id AND s.conversation_id = m.conversation_id`,
);

export const CLAIM = `WITH due AS MATERIALIZED (
   SELECT user_id, device_id, conversation_id FROM push_outbox
   WHERE provider = $1 AND due_at <= clock_timestamp() ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),
 taken AS (
   UPDATE push_outbox o SET claim = gen_random_uuid(), attempts = o.attempts + 1, due_at = clock_timestamp() + ${ms('$3')}
   FROM due WHERE (o.user_id, o.device_id, o.conversation_id) = (due.user_id, due.device_id, due.conversation_id)
   RETURNING o.*)
 SELECT t.kind, t.user_id, t.device_id, t.provider, d.push_token, t.conversation_id, t.seq, t.first_seq, t.message_id,
   t.claim, t.attempts, t.sender_id, t.content_type, sender.display_name AS sender_name,
   c.type AS conversation_type, c.name AS conversation_name,
   CASE WHEN u.push_preview AND $4 AND t.content_type <> 'encrypted' THEN t.preview END AS preview,
   (extract(epoch FROM clock_timestamp() - t.created_at) * 1000)::bigint AS age_ms,
   t.kind = 'message' AND (m.user_id IS NULL OR m.visible_from_seq > t.seq OR m.read_seq >= t.seq
     OR m.muted_until > clock_timestamp() OR (t.unless_delivered AND m.delivered_seq >= t.seq)
     OR ${isDeleted('t')}) AS superfluous,
   t.kind = 'message' AND t.unless_delivered AND m.delivered_seq >= t.first_seq AS early,
   greatest(0, (extract(epoch FROM t.sent_at - clock_timestamp()) * 1000)::bigint + $5) AS early_ms,
   (SELECT coalesce(sum(bc.last_seq - bm.read_seq), 0) FROM conversation_member bm
      JOIN conversation bc USING (conversation_id)
      WHERE bm.user_id = t.user_id AND bm.removed_at IS NULL AND bc.last_seq > bm.read_seq) AS badge
 FROM taken t
 JOIN user_devices d USING (user_id, device_id)
 JOIN users u ON u.user_id = t.user_id
 LEFT JOIN users sender ON sender.user_id = t.sender_id
 LEFT JOIN conversation c ON c.conversation_id = t.conversation_id
 LEFT JOIN conversation_member m
   ON m.conversation_id = t.conversation_id AND m.user_id = t.user_id AND m.removed_at IS NULL
 ORDER BY t.user_id, t.device_id`;

const TASK = 'user_id = $1 AND device_id = $2 AND conversation_id = $3 AND claim = $4';
const HELD = 'o.user_id = $1 AND o.device_id = $2 AND o.conversation_id = $3 AND o.claim = $4';

/**
 * The task stands as it was taken, and its message was deleted, or what was shown is taken away: what is left of the
 * messages before is due now.
 */
export const FALL_BACK_HELD = FALL_BACK(
  `${HELD} AND o.seq = $5 AND o.kind = $6 AND (o.kind = 'clear' OR ${isDeleted('o')})`,
  ', claim = NULL, attempts = 0, due_at = clock_timestamp()',
);

/** The task stands as it was taken: nothing newer came. */
export const FORGET = `DELETE FROM push_outbox WHERE ${TASK} AND seq = $5 AND kind = $6`;
/** Something newer came while it was being sent: that is due now. */
export const FOLLOW = `UPDATE push_outbox SET claim = NULL, attempts = 0, due_at = clock_timestamp() WHERE ${TASK}`;
/** The same, and of all before it the device was told. */
export const FOLLOW_SENT = `UPDATE push_outbox SET claim = NULL, attempts = 0, due_at = clock_timestamp(),
   first_seq = CASE WHEN kind = 'message' THEN greatest(first_seq, $5::bigint + 1) ELSE first_seq END WHERE ${TASK}`;
/** $6: attempts that were none. */
export const AGAIN = `UPDATE push_outbox SET claim = NULL, attempts = attempts - $6::integer,
   due_at = clock_timestamp() + ${ms('$5')} WHERE ${TASK}`;
/** The messages before were acknowledged in time; the latest still has some. */
export const LATER = `UPDATE push_outbox SET claim = NULL, attempts = 0, first_seq = $5,
   due_at = clock_timestamp() + ${ms('$6')} WHERE ${TASK}`;
export const GONE = `DELETE FROM user_devices WHERE user_id = $1 AND device_id = $2 AND push_token = $3`;

export const SHOWN = `INSERT INTO push_shown AS s (user_id, device_id, conversation_id, seq, message_id, first_seq)
 SELECT d.user_id, d.device_id, $3, $5, $6, (SELECT least(o.first_seq, $5) FROM push_outbox o WHERE ${HELD})
 FROM user_devices d WHERE d.user_id = $1 AND d.device_id = $2
 ON CONFLICT (user_id, conversation_id, device_id) DO UPDATE SET seq = excluded.seq, message_id = excluded.message_id,
   first_seq = excluded.first_seq
 WHERE s.seq < excluded.seq`;
export const CLEARED = `DELETE FROM push_shown
 WHERE user_id = $1 AND device_id = $2 AND conversation_id = $3 AND seq <= $4`;
/** It was read or deleted, or its reader removed, while it, or what came after it, was being sent. */
export const CLEAR_IF_OVER = CLEAR_SHOWN(
  `s.user_id = $1 AND s.device_id = $2 AND s.conversation_id = $3
     AND (NOT EXISTS (SELECT FROM conversation_member m WHERE m.conversation_id = s.conversation_id
       AND m.user_id = s.user_id AND m.removed_at IS NULL AND m.read_seq < s.seq) OR ${isDeleted('s')})`,
  'push_shown s',
);
