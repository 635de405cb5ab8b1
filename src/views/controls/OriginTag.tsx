import { t } from '../../language/translate.ts'
import type { Provenance } from '../../share/parameters.ts'

/** Marks what is ours and not the paper's; says nothing where there is nothing to say. */
export function OriginTag({ source }: { source: Provenance }) {
  if (source !== 'ours') return null
  return (
    <abbr
      className="tag"
      title={t('Our reconstruction: the paper does not state it, or its statement could not be recovered')}
    >
      {t('ours')}
    </abbr>
  )
}
