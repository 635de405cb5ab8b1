import { t } from '../../language/translate.ts'
import type { Provenance } from '../../share/parameters.ts'

const titles: Record<Provenance, string> = {
  paper: 'Stated by the AlignMerge paper (arXiv 2512.16245)',
  standard: 'Common practice',
  ours: 'Our reconstruction: the paper does not state it, or its statement could not be recovered',
}

/** Marks what is ours and not the paper's; says nothing where there is nothing to say. */
export function OriginTag({ source }: { source: Provenance }) {
  if (source !== 'ours') return null
  return (
    <abbr className="tag" title={t(titles.ours)}>
      {t('ours')}
    </abbr>
  )
}
