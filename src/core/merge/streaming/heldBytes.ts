// Counts bytes that a job holds on purpose, host and device together, and the most there were at once.

export class HeldBytes {
  private host = 0
  private device = 0
  /** bytes */
  peak = 0

  add(bytes: number): void {
    this.host += bytes
    this.peak = Math.max(this.peak, this.host + this.device)
  }

  remove(bytes: number): void {
    this.host -= bytes
  }

  /** What the device holds now. */
  see(deviceBytes: number): void {
    this.device = deviceBytes
    this.peak = Math.max(this.peak, this.host + this.device)
  }
}
