import { t } from '../../language/translate.ts'

export function PushTab() {
  return <p className="muted">{t('Being prepared.')}</p>
}
