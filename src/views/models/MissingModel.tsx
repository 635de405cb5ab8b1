import type { TrainedOrigin } from '../../../workers/api/training.ts'
import type { ModelOrigin, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { familyOf } from '../../share/families.ts'
import { openAddress, openFamily, openRequest } from '../../state/actions/models.ts'
import { PUBLIC_HUB } from '../../state/actions/tokens.ts'
import { useStudio } from '../../state/store.ts'
import { trainedName } from '../../state/training/names.ts'
import { rememberedPace, secondsOf } from '../../state/training/pace.ts'

/** What to do about a model that a link names and this page does not hold. Nothing is fetched unasked. */
export function MissingModel({ origin, list }: { origin: ModelOrigin; list: readonly ModelSummary[] }) {
  if (list.length === 0) return <p className="hint"> </p>
  switch (origin.kind) {
    case 'built-in': {
      const family = familyOf(origin)
      if (family)
        return (
          <p className="hint is-warning">
            {t('Of the {name} family, not loaded yet.', { name: family.name })}{' '}
            <button type="button" className="text-button" onClick={() => void openFamily(family)}>
              {t('Load {name}', { name: family.name })}
            </button>
          </p>
        )
      return (
        <p className="hint is-warning">
          {t('This studio has no built-in model “{name}”. Choose another.', { name: origin.id })}
        </p>
      )
    }
    case 'files':
      return (
        <p className="hint is-warning">
          {t(
            'The link was made with the folder “{name}” (SHA-256 {digest}…). Drop it below, or choose another model.',
            { name: origin.name, digest: origin.digest.slice(0, 8) },
          )}
        </p>
      )
    case 'hub':
      return (
        <p className="hint is-warning">
          {t('From {host}, not loaded yet.', { host: new URL(origin.hub ?? PUBLIC_HUB).host })}{' '}
          <button
            type="button"
            className="text-button"
            onClick={() => void openRequest(origin, t('Opening {name}', { name: origin.repo }))}
          >
            {t('Load {name} at {revision}', {
              name: origin.repo,
              revision: origin.revision.slice(0, 7),
            })}
          </button>{' '}
          {t('Gated? Give its token in the library first.')}
        </p>
      )
    case 'stored':
      return (
        <p className="hint is-warning">
          {t('“{name}” was kept in the browser that made this link (content {digest}…).', {
            name: origin.name,
            digest: origin.digest.slice(0, 8),
          })}{' '}
          <button
            type="button"
            className="text-button"
            onClick={() => void openRequest(origin, t('Opening {name}', { name: origin.name }))}
          >
            {t('Open it, if it is kept here too')}
          </button>
        </p>
      )
    case 'url':
      return (
        <p className="hint is-warning">
          {t('From {host}, not loaded yet.', { host: new URL(origin.url).host })}{' '}
          <button type="button" className="text-button" onClick={() => void openAddress(origin.url)}>
            {t('Load {name}', { name: origin.url })}
          </button>
        </p>
      )
    case 'trained':
      return <MissingTrained origin={origin} />
  }
}

/** A model that was trained in somebody's tab: no link carries weights, but this one says how they came about. */
function MissingTrained({ origin }: { origin: TrainedOrigin }) {
  const adapter = useStudio(({ models }) =>
    models.engine.kind === 'ready' ? models.engine.info.adapter : '',
  )
  const pace = rememberedPace(adapter)
  const { steps, done = steps, batch } = origin
  const name = trainedName(origin)
  return (
    <p className="hint is-warning">
      {t('“{name}” was trained in the tab that made this link, from seed {seed}.', {
        name,
        seed: origin.seed,
      })}{' '}
      <button
        type="button"
        className="text-button"
        onClick={() =>
          void import('../../state/training/actions.ts').then(({ trainAgain }) => trainAgain(origin))
        }
      >
        {pace
          ? t('Train it again (about {seconds} s)', { seconds: Math.ceil(secondsOf(pace, done, batch, 0)) })
          : t('Train it again ({steps} steps of {batch} pairs)', { steps: done, batch })}
      </button>{' '}
      {t('On another adapter its weights differ in the last digits.')}
    </p>
  )
}
