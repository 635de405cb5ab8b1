import { t } from '../../language/translate.ts'
import { askSecondOpinion, canWriteFolder, downloadZip, writeFolder } from '../../state/actions/requests.ts'
import { useMissing } from '../../state/needs.ts'
import { Menu, MenuAction } from './Menu.tsx'

/** What can be done with the merge of the page: written out, and checked by another runtime. */
export function ExportMenu({ isReady }: { isReady: boolean }) {
  const missing = useMissing('secondOpinion')
  return (
    <Menu label={t('Export')} title={t('The merge as files, and a second opinion on it')}>
      <MenuAction
        label={t('Export zip')}
        brief={t('The merge as a Hugging Face folder in a zip')}
        isDisabled={!isReady}
        onClick={() => void downloadZip()}
      />
      {canWriteFolder() && (
        <MenuAction
          label={t('Export to folder')}
          brief={t('File by file, into a folder that you choose')}
          isDisabled={!isReady}
          onClick={() => void writeFolder()}
        />
      )}
      <MenuAction
        label={t('Second opinion')}
        brief={missing ?? t('The same weights through onnxruntime-web, all logits compared')}
        isDisabled={!isReady || missing !== undefined}
        onClick={() => void askSecondOpinion()}
      />
    </Menu>
  )
}
