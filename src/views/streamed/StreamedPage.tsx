export { StreamedView as default } from './StreamedView.tsx'
