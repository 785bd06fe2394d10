// The questions that the page asks of its own server.

/** Nothing came back, or nothing that we can read: the page tries again by itself. */
export class Unreachable extends Error {}

const PATIENCE = 15_000;

/** Answers `{ status, body }` for whatever the server said on purpose; the body of an answer that is not JSON is its bytes. */
export async function post(path, body, patience = PATIENCE) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
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
    const json = answer.headers.get("content-type")?.startsWith("application/json");
    return { status: answer.status, body: json ? await answer.json() : new Uint8Array(await answer.arrayBuffer()) };
  } catch (cause) {
    throw cause instanceof Unreachable ? cause : new Unreachable("no answer", { cause });
  } finally {
    clearTimeout(timer);
  }
}
