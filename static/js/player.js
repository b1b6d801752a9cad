// The clock of the page: which playback frame is on the screen, and how to move it.

export class Player extends EventTarget {
  #video;
  #frameRate;
  #shownFrame = 0;
  #targetFrame = null;

  /** Dispatches "frame" for every presented frame and "state" when it starts, stops or ends. */
  constructor(video, { frameRate, duration_s }) {
    super();
    this.#video = video;
    this.#frameRate = frameRate;
    this.fallbackDuration_s = duration_s;
    for (const name of ["play", "pause", "ended", "ratechange", "loadedmetadata"]) {
      video.addEventListener(name, () => this.dispatchEvent(new Event("state")));
    }
    if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) this.#followPresentedFrames();
    else this.#followClock();
  }

  /** The playback frame on the screen. */
  get frame() {
    return this.#shownFrame;
  }

  /** The last source frame with a time below this one is what the playback frame shows. */
  get sourceLimit_s() {
    return (this.#shownFrame + 0.5) / this.#frameRate;
  }

  get time_s() {
    return this.#shownFrame / this.#frameRate;
  }

  get duration_s() {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : this.fallbackDuration_s;
  }

  get frameCount() {
    return Math.max(1, Math.round(this.duration_s * this.#frameRate));
  }

  get isPlaying() {
    return !this.#video.paused && !this.#video.ended;
  }

  toggle() {
    if (this.isPlaying) this.#video.pause();
    else this.play();
  }

  play() {
    // A refusal (no source, still loading) shows through the video's own error event.
    this.#video.play().catch(() => {});
  }

  /** Show the frame at `time_s`. */
  seek(time_s) {
    this.#showFrame(Math.floor(time_s * this.#frameRate + 1e-6));
  }

  seekBy(seconds) {
    this.seek((this.#targetFrame ?? this.#shownFrame) / this.#frameRate + seconds);
  }

  /** Stop, and move by whole frames; quick repeats add up. */
  step(frames) {
    this.#video.pause();
    this.#showFrame((this.#targetFrame ?? this.#shownFrame) + frames);
  }

  set rate(rate) {
    this.#video.playbackRate = rate;
  }

  #showFrame(frame) {
    this.#targetFrame = Math.min(this.frameCount - 1, Math.max(0, frame));
    // The middle of a frame: rounding cannot land on its neighbour.
    this.#video.currentTime = (this.#targetFrame + 0.5) / this.#frameRate;
  }

  #present(frame) {
    this.#shownFrame = Math.max(0, frame);
    // Until the frame that was asked for is on the screen, further steps count from it.
    if (!this.#video.seeking || this.#shownFrame === this.#targetFrame) this.#targetFrame = null;
    this.dispatchEvent(new Event("frame"));
  }

  #followPresentedFrames() {
    const presented = (_now, { mediaTime }) => {
      this.#present(Math.round(mediaTime * this.#frameRate));
      this.#video.requestVideoFrameCallback(presented);
    };
    this.#video.requestVideoFrameCallback(presented);
  }

  #followClock() {
    let last = -1;
    const look = () => {
      const frame = Math.floor(this.#video.currentTime * this.#frameRate + 1e-6);
      if (frame !== last && this.#video.readyState >= 2) {
        last = frame;
        this.#present(frame);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }
}
