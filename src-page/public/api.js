// The two questions that the page asks of its own server.

/** Nothing came back, or nothing that we can read: the page tries again by itself. */
export class Unreachable extends Error {}

const PATIENCE = 15_000;

/** Answers `{ status, body }` for whatever the server said on purpose. */
export async function post(path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: stop.signal,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (answer.status >= 500) throw new Unreachable(String(answer.status));
    return { status: answer.status, body: await answer.json() };
  } catch (cause) {
    throw cause instanceof Unreachable ? cause : new Unreachable("no answer", { cause });
  } finally {
    clearTimeout(timer);
  }
}
