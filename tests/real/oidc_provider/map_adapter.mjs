// Keeps everything for as long as the process lives; the bundled adapter forgets after 1,000 entries.

const kept = new Map();
const members = new Map();
const now = () => Math.floor(Date.now() / 1000);

export function grantsAlive() {
  return [...kept.keys()].filter((key) => key.startsWith('Grant:')).length;
}

export class MapAdapter {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    const key = this.key(id);
    kept.set(key, payload);
    if (this.model === 'Session') kept.set(`uid:${payload.uid}`, id);
    if (payload.userCode) kept.set(`user_code:${payload.userCode}`, id);
    if (payload.grantId) {
      if (!members.has(payload.grantId)) members.set(payload.grantId, new Set());
      members.get(payload.grantId).add(key);
    }
  }

  async find(id) {
    return kept.get(this.key(id));
  }

  async findByUid(uid) {
    return this.find(kept.get(`uid:${uid}`));
  }

  async findByUserCode(code) {
    return this.find(kept.get(`user_code:${code}`));
  }

  async consume(id) {
    kept.get(this.key(id)).consumed = now();
  }

  async destroy(id) {
    kept.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of members.get(grantId) ?? []) kept.delete(key);
    members.delete(grantId);
  }
}
