// Which dialog is open. What it holds is loaded when it first opens.

import { create } from 'zustand'

export type DialogName = 'palette' | 'share' | 'shortcuts'

export const useDialogs = create<{ open: DialogName | null }>()(() => ({ open: null }))

export const openDialog = (open: DialogName): void => useDialogs.setState({ open })
export const closeDialog = (): void => useDialogs.setState({ open: null })
export const openPalette = (): void => openDialog('palette')
