// BrowserEngine: carries out the call session's commands (crates/call/src/engine.rs) with an RTCPeerConnection a leg, and
// tells the session what happens. It decides nothing.

const LABEL = "rabta";
const VOICE_KBPS = 24;
const LINK = { connecting: "connecting", connected: "up", disconnected: "down", failed: "failed" };

const bytesOf = async (data) => new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);

/** One connection to one remote device. */
class Leg {
  constructor(engine, { leg, offers, ice_servers }) {
    this.engine = engine;
    this.id = leg;
    this.open = false;
    this.work = Promise.resolve();
    this.budget = undefined;
    this.far = new MediaStream();
    this.pc = new RTCPeerConnection({ iceServers: servers(ice_servers), bundlePolicy: "max-bundle" });
    this.pc.onicecandidate = ({ candidate }) => this.tell("local-candidate", {
      candidate: { candidate: candidate?.candidate ?? "", mid: candidate?.sdpMid ?? null, index: candidate?.sdpMLineIndex ?? null },
    });
    this.pc.onconnectionstatechange = () => {
      const state = LINK[this.pc.connectionState];
      if (state) this.tell("link", { state });
      if (state === "up") this.watchFirst();
    };
    this.pc.ontrack = ({ track }) => {
      this.far.addTrack(track);
      engine.show(this);
    };
    this.pc.ondatachannel = ({ channel }) => { if (channel.label === LABEL) this.use(channel); };
    if (offers) {
      this.use(this.pc.createDataChannel(LABEL));
      for (const kind of ["audio", "video"]) this.pc.addTransceiver(kind);
      this.offer();
    }
  }

  tell(type, more) { this.engine.tell({ type, leg: this.id, ...more }); }

  /** One change of the connection after the other; what cannot be done ends the leg and is never silent. */
  then(step) {
    this.work = this.work.then(step).catch(() => { if (this.pc.signalingState !== "closed") this.tell("leg-failed", {}); });
  }

  use(channel) {
    this.channel = channel;
    channel.binaryType = "arraybuffer";
    const opened = () => this.tell("data-open", {});
    if (channel.readyState === "open") opened(); else channel.onopen = opened;
    channel.onmessage = async ({ data }) => {
      const text = typeof data === "string";
      const bytes = text ? new TextEncoder().encode(data) : await bytesOf(data);
      this.tell("data", { text, bytes: [...bytes] });
    };
  }

  offer(options) {
    this.then(async () => {
      await this.attach();
      const offer = await this.pc.createOffer(options);
      await this.pc.setLocalDescription(offer);
      this.tell("local-description", { kind: "offer", sdp: this.pc.localDescription.sdp });
    });
  }

  describe(kind, sdp) {
    this.then(async () => {
      await this.pc.setRemoteDescription({ type: kind, sdp });
      if (kind !== "offer") return;
      for (const transceiver of this.pc.getTransceivers()) if (transceiver.currentDirection === null) transceiver.direction = "sendrecv";
      await this.attach();
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      this.tell("local-description", { kind: "answer", sdp: this.pc.localDescription.sdp });
    });
  }

  /** Our tracks go out once the gate is open; until then nothing of us leaves. */
  async attach() {
    for (const { sender, receiver } of this.pc.getTransceivers()) {
      const track = this.open ? this.engine.track(receiver.track.kind) : null;
      if (sender.track !== track) await sender.replaceTrack(track);
      if (track) await this.bound(sender);
    }
  }

  async bound(sender) {
    const video = sender.track.kind === "video";
    const parameters = sender.getParameters();
    const encoding = parameters.encodings?.[0];
    if (!encoding) return;
    const kbps = video ? this.budget : VOICE_KBPS;
    encoding.active = kbps !== 0;
    if (kbps) encoding.maxBitrate = kbps * 1000;
    encoding.priority = encoding.networkPriority = video ? "low" : "high";
    await sender.setParameters(parameters).catch(() => {});
  }

  media(open) {
    this.open = open;
    this.then(() => this.attach());
    this.engine.show(this);
  }

  send(text, bytes) {
    if (this.channel?.readyState !== "open") return;
    const data = Uint8Array.from(bytes);
    try { this.channel.send(text ? new TextDecoder().decode(data) : data); } catch { /* It goes again on the next channel. */ }
  }

  /** When the far side's first sound was played. The first frame is the screen's to tell. */
  watchFirst() {
    if (this.watching) return;
    this.watching = setInterval(async () => {
      if (!this.open) return;
      for (const report of (await this.pc.getStats()).values()) {
        if (report.type === "inbound-rtp" && report.kind === "audio" && report.jitterBufferEmittedCount > 0) {
          clearInterval(this.watching);
          this.tell("first-audio", { at_ms: this.engine.now() });
          return;
        }
      }
    }, 20);
  }

  async stats() {
    const stats = { loss_in: 0, loss_out: 0, rtt_ms: null, audio_in_kbps: 0, audio_out_kbps: 0, video_in_kbps: 0, video_out_kbps: 0, video_in_fps: 0, audio_in_level: 0 };
    const before = this.before ?? {};
    const now = { at: performance.now(), got: 0, lost: 0 };
    const rate = (name, bytes) => {
      now[name] = bytes;
      return name in before ? Math.max(0, Math.round((8 * (bytes - before[name])) / (now.at - before.at))) : 0;
    };
    for (const r of (await this.pc.getStats()).values()) {
      if (r.type === "inbound-rtp") {
        stats[`${r.kind}_in_kbps`] = rate(`${r.kind}_in`, r.bytesReceived);
        now.got += r.packetsReceived;
        now.lost += Math.max(0, r.packetsLost);
        if (r.kind === "video") stats.video_in_fps = Math.round(r.framesPerSecond ?? 0);
        else this.engine.screen(this.id).dataset.level = stats.audio_in_level = r.audioLevel ?? 0;
      } else if (r.type === "outbound-rtp") {
        stats[`${r.kind}_out_kbps`] = rate(`${r.kind}_out`, r.bytesSent);
      } else if (r.type === "remote-inbound-rtp") {
        stats.loss_out = Math.max(stats.loss_out, r.fractionLost ?? 0);
      } else if (r.type === "candidate-pair" && r.nominated && r.currentRoundTripTime !== undefined) {
        stats.rtt_ms = Math.round(r.currentRoundTripTime * 1000);
      }
    }
    const [got, lost] = [now.got - (before.got ?? now.got), now.lost - (before.lost ?? now.lost)];
    if (got + lost > 0) stats.loss_in = Math.min(1, Math.max(0, lost / (got + lost)));
    this.before = now;
    if (this.pc.connectionState === "connected") this.tell("stats", { stats });
  }

  close() {
    clearInterval(this.watching);
    const screen = this.engine.screen(this.id);
    if (screen.srcObject === this.far) screen.srcObject = null;
    // A last word on the channel still goes out.
    setTimeout(() => this.pc.close(), 250);
  }
}

const servers = (list) => list.map(({ urls, username, credential }) => (username ? { urls, username, credential } : { urls }));

export class BrowserEngine {
  /**
   * `tell(event)`: to the session. `now()`: its clock. `stream`: our tracks, or null. `screen(leg)`: the video element for a leg's far
   * side. `near`: that for our own picture.
   */
  constructor({ tell, now, stream, screen, near }) {
    Object.assign(this, { tell, now, stream, screen, near });
    this.legs = new Map();
    this.ticker = setInterval(() => this.legs.forEach((leg) => leg.stats().catch(() => {})), 1000);
  }

  track(kind) { return this.stream?.getTracks().find((track) => track.kind === kind && track.readyState === "live") ?? null; }

  show(leg) {
    const screen = this.screen(leg.id);
    if (screen.srcObject !== leg.far) {
      screen.srcObject = leg.far;
      screen.requestVideoFrameCallback?.(() => leg.tell("first-video", { at_ms: this.now() }));
    }
    screen.play?.().catch(() => { /* The page was pressed on before; a refusal ends with the next press. */ });
  }

  /** Other tracks than before: a camera that was allowed later, a microphone that came back. */
  use(stream) {
    this.stream = stream;
    this.legs.forEach((leg) => leg.then(() => leg.attach()));
  }

  command(command) {
    const leg = this.legs.get(command.leg);
    switch (command.type) {
      case "prepare":
        for (const [device, kind] of [["microphone", "audio"], ["camera", "video"]]) {
          this.tell({ type: "device", device, state: this.track(kind) ? "working" : "absent" });
        }
        this.near.srcObject = this.stream;
        break;
      case "open-leg": this.legs.set(command.leg, new Leg(this, command)); break;
      case "restart-ice": leg?.offer({ iceRestart: true }); break;
      case "ice-servers": leg?.pc.setConfiguration({ ...leg.pc.getConfiguration(), iceServers: servers(command.ice_servers) }); break;
      case "remote-description": leg?.describe(command.kind, command.sdp); break;
      case "remote-candidate": {
        const { candidate, mid, index } = command.candidate;
        leg?.then(() => leg.pc.addIceCandidate({ candidate, sdpMid: mid, sdpMLineIndex: index }).catch(() => {}));
        break;
      }
      case "media": leg?.media(command.open); break;
      case "microphone": this.enable("audio", command.on); break;
      case "camera": this.enable("video", command.on); break;
      case "video-budget":
        if (leg) {
          leg.budget = command.kbps;
          leg.then(() => leg.attach());
        }
        break;
      case "take-still": this.still(); break;
      case "send-data": leg?.send(command.text, command.bytes); break;
      case "close-leg":
        leg?.close();
        this.legs.delete(command.leg);
        break;
      case "close": this.close(); break;
      // "go-live": the camera runs since Join. "key-frame": a browser asks by itself.
    }
  }

  enable(kind, on) { this.stream?.getTracks().forEach((track) => { if (track.kind === kind) track.enabled = on; }); }

  still() {
    const { videoWidth: width, videoHeight: height } = this.near;
    if (!width) return this.tell({ type: "no-still" });
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.near, 0, 0);
    canvas.toBlob(async (blob) => {
      if (!blob) return this.tell({ type: "no-still" });
      this.tell({ type: "still", jpeg: [...(await bytesOf(blob))], width, height });
    }, "image/jpeg", 0.8);
  }

  close() {
    clearInterval(this.ticker);
    this.legs.forEach((leg) => leg.close());
    this.legs.clear();
  }
}
