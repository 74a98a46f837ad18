'use strict';

// What came of decisions, and messages of the days after.

const lists = require('./lists');
const native = require('./addon').addon();
const { SIZES, AT, NUMBERS } = require('./layout');
const { chars, code, named, raised, readInt64, sized, writeId, writeInt64 } = require('./values');

const messages = named(lists.MessageKind);
const channels = named(lists.Channel);
const reasons = named(lists.Withheld);

/** Writes an event, and its texts behind each other. */
function packEvent(event) {
  const [to, at, texts] = [sized(SIZES.event), AT.event, []];
  let [flags, length] = [0, 0];
  to.writeUInt32LE(code(lists.EventKind, event.kind), at.kind);
  writeId(to, event.decisionId, at.decision_id_high, at.decision_id_low);
  writeInt64(to, event.atMs, at.at_ms);
  for (const name of ['value', 'margin', 'payout']) {
    if (event[name] !== undefined) {
      flags |= NUMBERS[`AMOUNT_${name.toUpperCase()}`];
      writeInt64(to, event[name], at[name]);
    }
  }
  to.writeUInt32LE(flags, at.flags);
  const given = [[event.eventId, at.event_id], [event.itemId, at.item_id], [event.code, at.code], [event.question, at.question],
    [event.answer, at.answer]];
  for (const [text, place] of given) {
    const bytes = Buffer.from(text ?? '');
    to.writeUInt32LE(length, place);
    to.writeUInt32LE(bytes.length, place + 4);
    length += bytes.length;
    texts.push(bytes);
  }
  return [to, Buffer.concat(texts)];
}

function appendEvent(folder, event) {
  const error = sized(SIZES.error);
  if (native.eventAppend(Buffer.from(folder), ...packEvent(event), error) < 0) {
    throw raised(error);
  }
}

function eventJson(event) {
  const [error, room] = [sized(SIZES.error), Buffer.alloc(NUMBERS.JSON_BYTES)];
  if (native.eventJson(...packEvent(event), room, error) < 0) {
    throw raised(error);
  }
  return chars(room, 0);
}

class Programmes {
  /** @internal */
  handle;

  constructor(engine, path) {
    const error = sized(SIZES.error);
    const made = native.programmesOpen(engine.open(), Buffer.from(path), error);
    if (typeof made === 'number') {
      throw raised(error);
    }
    this.handle = made;
  }
}

/** A plan of `count` messages; `title` finds a product's. */
function followUps(rows, count, title) {
  return Array.from({ length: count }, (_, i) => {
    const start = i * SIZES.follow_up;
    const at = AT.follow_up;
    const number = (field) => rows.readUInt32LE(start + at[field]);
    const [kind, channel, withheld, due] = [number('kind'), number('channel'), number('withheld'), rows.readInt32LE(start + at.due_days)];
    return {
      kind: messages.get(kind) ?? kind,
      channel: channels.get(channel) ?? channel,
      withheld: withheld === 0 ? null : reasons.get(withheld) ?? withheld,
      line: number('line'),
      atMs: readInt64(rows, start + at.at_ms),
      expiresAtMs: readInt64(rows, start + at.expires_at_ms),
      title: number('item_kind') === 0 ? '' : title(number('item_kind'), number('item_row')),
      dueDays: due < 0 ? null : due,
      ownIntervals: number('own_intervals'),
      programme: chars(rows, start + at.programme),
      template: chars(rows, start + at.template_id),
      contentId: chars(rows, start + at.content_id),
    };
  });
}

module.exports = { Programmes, appendEvent, eventJson, followUps };
