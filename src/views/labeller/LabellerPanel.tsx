// What scores the answers: the shipped rule set, or one that the user plugs in. Reads the store itself: no other part
// of the page depends on how a labeller was made.

import { t } from '../../language/translate.ts'
import { plugFiles, plugShipped } from '../../state/actions/labeller.ts'
import { useStudio } from '../../state/store.ts'
import { DropZone, PickFiles } from '../controls/DropZone.tsx'
import { SideSection } from '../controls/SideSection.tsx'
import { formatList } from '../format.ts'
import { collectDroppedFiles } from '../models/droppedFiles.ts'
import { ClassifierFields } from './ClassifierFields.tsx'

const scoreNames = { toxicity: () => t('toxicity'), judge: () => t('judge') } as const

export function LabellerPanel() {
  const labeller = useStudio((state) => state.models.labeller)
  const asked = useStudio((state) => state.view.labeller)
  const isMissing = asked !== null && asked.digest !== labeller?.digest
  return (
    <SideSection title={t('Labeller')} summary={labeller?.name ?? t('none')}>
      {labeller ? (
        <>
          <p className="labeller-name" title={`SHA-256 ${labeller.digest}`}>
            <b>{labeller.name}</b> <code>{labeller.digest.slice(0, 8)}</code>
          </p>
          <p className="hint">
            {t(labeller.about)}{' '}
            {labeller.gives.length > 0
              ? t('Gives {scores}.', { scores: formatList(labeller.gives.map((id) => scoreNames[id]())) })
              : ''}
          </p>
          {labeller.source.kind === 'onnx' && (
            <ClassifierFields classifier={labeller.source.classifier} gives={labeller.gives} />
          )}
        </>
      ) : (
        <p className="hint">{t('Answers are not scored.')}</p>
      )}
      {isMissing && (
        <p className="hint is-warning">
          {t('The link was made with “{name}” (SHA-256 {digest}…), which is not loaded.', {
            name: asked.name,
            digest: asked.digest.slice(0, 8),
          })}{' '}
          {labeller
            ? t('Open it below for its scores; these are of “{name}”.', { name: labeller.name })
            : t('Open it below for its scores.')}
        </p>
      )}
      <OpenLabeller />
      {(labeller?.origin === 'files' || isMissing) && (
        <button type="button" className="quiet-button" onClick={() => void plugShipped()}>
          {t('Use the shipped rules')}
        </button>
      )}
    </SideSection>
  )
}

/** A drop zone and two pickers: a file, or a folder. */
function OpenLabeller() {
  const take = (files: File[]) => void plugFiles(files)
  return (
    <DropZone
      label={t('Drop zone for a labeller')}
      onDrop={(data) => void collectDroppedFiles(data).then(plugFiles)}
    >
      {t('Drop a rule set (JSON) or an ONNX classifier’s folder, or choose')}{' '}
      <PickFiles label={t('Rule set')} accept=".json,application/json" onFiles={take}>
        {t('a file')}
      </PickFiles>{' '}
      {t('or')}{' '}
      <PickFiles label={t('Classifier folder')} onFiles={take}>
        {t('a folder')}
      </PickFiles>
    </DropZone>
  )
}
