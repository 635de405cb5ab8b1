// What subjects answered to probes, by measurement: so that a point of a picture shows the very answer that was
// counted, and nobody decodes it twice.

import type { Answered } from '../src/core/evaluate/behaviour.ts'

/** Measurements kept, some 40 kB each: all methods side by side. Others are decoded again. */
const MAX_MEASUREMENTS = 40

interface Held {
  /** by probe id */
  answers: Map<string, Answered>
  /** the answers of a whole measurement, in the order of its points */
  whole: readonly Answered[] | undefined
}

export class AnsweredStore {
  private readonly held = new Map<string, Held>()

  /** Adds answers of a measurement: all that were counted, or single ones. */
  remember(id: string, answered: readonly Answered[], isWhole: boolean): void {
    const before = this.held.get(id)
    const answers = new Map(before?.answers)
    for (const answer of answered) answers.set(answer.probe.id, answer)
    this.held.delete(id)
    this.held.set(id, { answers, whole: isWhole ? answered : before?.whole })
    for (const oldest of this.held.keys()) {
      if (this.held.size <= MAX_MEASUREMENTS) break
      this.held.delete(oldest)
    }
  }

  /** Everything known of a measurement. */
  answersOf(id: string): ReadonlyMap<string, Answered> {
    return this.held.get(id)?.answers ?? new Map()
  }

  /** The answers of a whole measurement, in order; undefined where it was not made here. */
  wholeOf(id: string): readonly Answered[] | undefined {
    return this.held.get(id)?.whole
  }

  clear(): void {
    this.held.clear()
  }
}
