// "Break it yourself": an expert is trained from the anchor in this tab, and what it stops refusing is measured while
// it learns. Embedded by the page that teaches; a section of its own otherwise.

import { t } from '../../language/translate.ts'
import { TrainingControls } from './TrainingControls.tsx'
import { TrainingCurves } from './TrainingCurves.tsx'
import { TrainingMeasures } from './TrainingMeasures.tsx'
import { TrainingSettings } from './TrainingSettings.tsx'
import './train.css'

export default function BreakItYourself() {
  return (
    <section className="panel training" aria-labelledby="training-title">
      <header className="panel-head">
        <h2 id="training-title">{t('Break it yourself')}</h2>
        <p className="muted">{t('fine-tune the anchor in this tab, then merge what you made')}</p>
      </header>
      <p className="training-lead">
        {t(
          'Teach the aligned anchor something harmless, or the opposite. Every few steps the model so far answers held-out prompts: what it refuses is counted, its AQI is measured. Benign lessons wear its refusals away as well, and AQI does not always say so.',
        )}
      </p>
      <div className="training-body">
        <TrainingSettings />
        <div className="training-results">
          <TrainingControls />
          <TrainingCurves />
          <TrainingMeasures />
        </div>
      </div>
    </section>
  )
}
