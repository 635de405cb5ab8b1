import { Formula } from '../controls/Formula.tsx'
import { OfflineLine } from './OfflineLine.tsx'

/** What the numbers are and whose definitions they follow, and what the studio itself is made of. */
export default function AboutBody() {
  return (
    <>
      <dl>
        <div>
          <dt>The merge</dt>
          <dd>
            Experts are averaged around the anchor; of that average, the part along <Formula text="m" />{' '}
            alignment directions is shrunk by 1/(1+
            <Formula text="λ_align" />
            ). Barycentre, Fisher metric, alignment subspace and budget are AlignMerge’s (arXiv 2512.16245).
            The exact forms of shield and budget could not be recovered from public text: those here are our
            reconstruction.
          </dd>
        </div>
        <div>
          <dt>AQI</dt>
          <dd>
            How far apart safe and unsafe texts lie in the hidden states: <Formula text="S" /> is the squared
            distance of the class means over the scatter within. Shown as 100·S/(S + S of the anchor), ours,
            so the anchor has 50 and models can be compared. Separating prompts is recognising topics; read it
            beside behaviour.
          </dd>
        </div>
        <div>
          <dt>Budget</dt>
          <dd>
            A merge keeps the budget while log S is no lower than the anchor’s less one bootstrap standard
            error. Threshold and tolerance are ours.
          </dd>
        </div>
        <div>
          <dt>Drift</dt>
          <dd>
            Length, in the metric, of the displacement’s part along alignment directions. Along the shield’s
            own directions it falls by construction; held-out directions and those of another gradient source
            say whether anything was protected.
          </dd>
        </div>
        <div>
          <dt>Behaviour and skills</dt>
          <dd>
            Greedy answers to held-out prompts, sorted by rules into refusals, compliance, answers and
            gibberish; skills by exact match. Intervals are 95 % bootstrap intervals over prompts.
          </dd>
        </div>
        <div>
          <dt>Toxicity and judge</dt>
          <dd>
            Mean scores of the same answers by a labeller: the rule set that ships, which is ours and knows
            the built-in models’ words alone, or one that you plug in. Scores of different labellers are never
            mixed.
          </dd>
        </div>
        <div>
          <dt>Words instead of numbers</dt>
          <dd>
            Where a number cannot be had, the reason stands in its place: if all answers of a model fall into
            one class, there is no separation to measure. A dot means not measured yet.
          </dd>
        </div>
      </dl>
      <OfflineLine />
    </>
  )
}
