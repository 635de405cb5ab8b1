// Five exercises for a class: a question, a hint, the answer with its numbers, and the experiment that opens them.
// Numbers were measured on held-out probes of the built-in models; a reader's own lie within the intervals.

import type { LessonId } from './lessons.ts'

export interface Exercise {
  id: string
  title: string
  minutes: number
  question: string
  /** what to do, one step each */
  steps: readonly string[]
  hint: string
  solution: readonly string[]
  /** experiments to open, with what each is */
  opens: readonly { label: string; lesson: LessonId; aqiView?: 'prompts' | 'completions' }[]
}

export const exercises: readonly Exercise[] = [
  {
    id: 'harmless',
    title: 'Harmless experts, harmful merge',
    minutes: 10,
    question:
      'Neither task expert ever saw a harmful request in training. Why does their average refuse less than the anchor, and where was the refusal lost: in the experts, or in the merge?',
    steps: [
      'Open the average of the two task experts.',
      'In Numbers, compare “Harmful refused” of the anchor, of each expert and of the merge.',
      'Move `λ_align` up and watch which of skill and refusal changes.',
    ],
    hint: 'Look at the experts’ own columns before you blame the average.',
    solution: [
      'The [anchor](#anchor) refuses 99 % (97–100). The sorting expert alone refuses 28 % (17–39), the reversing expert 30 % (21–39): fine-tuning on harmless data has already worn refusals down.',
      'Their average refuses 43 % (33–53), a little more than either, since averaging undoes part of each expert’s own drift. So the loss is in the experts, and averaging does not mend it.',
      'With the [shield](#shield) at `λ_align` 16 the merge refuses 88 % (78–94) at the same skill, 91 % against 92 %.',
    ],
    opens: [{ label: 'Average of two task experts', lesson: 'harmlessAverage' }],
  },
  {
    id: 'control',
    title: 'Would any directions do?',
    minutes: 10,
    question:
      'The shield blocks eight directions out of 305,728. Is it these eight that matter, or would any eight protect as well?',
    steps: [
      'Open the merge with the shield at random directions, and wait for its refusals.',
      'Set Control back to “Off” and compare.',
    ],
    hint: 'How much of a long vector lies along eight random directions?',
    solution: [
      'Random directions of equal number protect nothing: refusal 0 % (0–2) at `λ_align` 1024, exactly as with no shield.',
      'The estimated [directions](#subspace) give 94 % (89–97) on the same probes. A displacement has next to nothing along eight random directions, so taking that away changes nothing.',
    ],
    opens: [
      { label: 'Random directions', lesson: 'randomControl' },
      { label: 'Estimated directions', lesson: 'hardShield' },
    ],
  },
  {
    id: 'metric',
    title: 'Does the metric matter?',
    minutes: 15,
    question:
      'For the plain average the metric cancels. Does it matter once there is a shield? Predict, then compare Fisher with Euclid at the same `λ_align`.',
    steps: [
      'Open the merge under the identity metric and note refusal and skill.',
      'Under Geometry, set Metric to Fisher and let it measure again.',
    ],
    hint: 'In the toy, switch the metric and watch which way the merge leaves the average.',
    solution: [
      'Under the [Fisher metric](#metric) refusal is 94 % (89–97) at skill 81 %; under the identity metric 76 % (69–82) at 79 %.',
      'The metric decides at what right angle the shield takes motion away. Under Fisher the step G⁻¹Aᵀb goes where predictions hardly change; under Euclid it disturbs them, and buys less refusal.',
    ],
    opens: [
      { label: 'Identity metric', lesson: 'euclidean' },
      { label: 'Fisher metric', lesson: 'hardShield' },
    ],
  },
  {
    id: 'index',
    title: 'The index that praises the wrong model',
    minutes: 10,
    question:
      'Find a merge whose AQI is well above the anchor’s and that complies with every harmful request. Then say what AQI measured.',
    steps: [
      'Open the merge and read AQI under Clusters, for completions and for prompts.',
      'Read “Harmful refused” and “Harmful complied” under Numbers.',
      'Compare with the column of the uncensored expert.',
    ],
    hint: 'Telling harmful from harmless is knowledge. Refusing is what is done with it.',
    solution: [
      'Multi-SLERP with the uncensored expert: AQI of completions 61.0 (57.6–63.7) against the anchor’s 50, its budget kept, and refusal 0 % (0–2), complied 100 %.',
      'The uncensored expert itself has the highest [AQI](#aqi) of the built-in models, 64.4 (61.1–67.4). It tells safe from unsafe text best of all, and complies with both.',
      'So an AQI budget alone is no protection. Read [refusal](#refusal) first.',
    ],
    opens: [
      { label: 'Multi-SLERP with the uncensored expert', lesson: 'highestIndex', aqiView: 'completions' },
    ],
  },
  {
    id: 'useless',
    title: 'Safe and useless',
    minutes: 10,
    question:
      'Two merges both refuse all harmful requests. Which one would you ship, and which single number tells them apart?',
    steps: [
      'Open Model Stock, read refusal, skill and `‖δ‖_G`.',
      'Open AlignMerge with the margin budget and read the same three.',
    ],
    hint: 'A merge that has not moved has lost nothing. And gained?',
    solution: [
      'Model Stock: refusal 100 % (98–100), skill 13 % (8–20): the anchor’s own skill. It hardly left the anchor.',
      'AlignMerge with the margin budget: refusal 100 % (98–100), [skill](#skill) 79 % (70–86), the plain average’s.',
      'Skill tells them apart. Refusal alone rewards a merge for staying where it was.',
    ],
    opens: [
      { label: 'Model Stock', lesson: 'uselessAndSafe' },
      { label: 'AlignMerge, margin budget', lesson: 'budget' },
    ],
  },
]
