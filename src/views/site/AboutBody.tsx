import { t } from '../../language/translate.ts'
import { CopyReport } from '../error/CopyReport.tsx'
import { PlainText } from '../learn/HelpText.tsx'
import { LicenceList } from './LicenceList.tsx'
import { OfflineLine } from './OfflineLine.tsx'

/** English; symbols stand in backticks. Shown through t(). */
const entries: readonly { title: string; detail: string }[] = [
  {
    title: 'The merge',
    detail:
      'Experts are averaged around the anchor; of that average, the part along `m` alignment directions is shrunk by 1/(1 + `λ_align`). Barycentre, Fisher metric, alignment subspace and budget are AlignMerge’s (arXiv 2512.16245). The exact forms of shield and budget could not be recovered from public text: those here are our reconstruction.',
  },
  {
    title: 'AQI',
    detail:
      'How far apart safe and unsafe texts lie in the hidden states: `S` is the squared distance of the class means over the scatter within. Shown as 100·S/(S + S of the anchor), ours, so the anchor has 50 and models can be compared. Separating prompts is recognising topics; read it beside behaviour.',
  },
  {
    title: 'Budget',
    detail:
      'A merge keeps the budget while log S is no lower than the anchor’s less one bootstrap standard error. Threshold and tolerance are ours.',
  },
  {
    title: 'Drift',
    detail:
      'Length, in the metric, of the displacement’s part along alignment directions. Along the shield’s own directions it falls by construction; held-out directions and those of another gradient source say whether anything was protected.',
  },
  {
    title: 'Behaviour and skills',
    detail:
      'Greedy answers to held-out prompts, sorted by rules into refusals, compliance, answers and gibberish; skills by exact match. Intervals are 95 % bootstrap intervals over prompts.',
  },
  {
    title: 'Toxicity and judge',
    detail:
      'Mean scores of the same answers by a labeller: the rule set that ships, which is ours and knows the built-in models’ words alone, or one that you plug in. Scores of different labellers are never mixed.',
  },
  {
    title: 'Words instead of numbers',
    detail:
      'Where a number cannot be had, the reason stands in its place: if all answers of a model fall into one class, there is no separation to measure. A dot means not measured yet.',
  },
]

/** What the numbers are and whose definitions they follow, and what the studio itself is made of. */
export default function AboutBody() {
  return (
    <>
      <dl>
        {entries.map(({ title, detail }) => (
          <div key={title}>
            <dt>{t(title)}</dt>
            <dd>
              <PlainText text={detail} />
            </dd>
          </div>
        ))}
      </dl>
      <div className="site-about">
        <OfflineLine />
        <p className="site-links">
          <a href="./docs/index.html">{t('Documentation')}</a>
          <a href="./docs/truth.html">{t('How true is this')}</a>
          <a href="./docs/changelog.html">{t('What has changed')}</a>
        </p>
        <LicenceList />
        <CopyReport />
      </div>
    </>
  )
}
