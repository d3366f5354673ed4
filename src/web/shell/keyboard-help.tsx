import { Dialog } from '../parts/dialog.tsx'
import { setShortcutsEnabled, useShortcutsEnabled } from './shortcuts.ts'

const KEYS = [
  ['j', 'next'],
  ['k', 'previous'],
  ['Enter', 'open its run'],
  ['a', 'approve, or complete: asks first'],
  ['r', 'reject: asks first'],
  ['?', 'this help'],
] as const

/** Which keys there are, and the switch that turns them off. */
export function KeyboardHelp({ onClose }: { readonly onClose: () => void }) {
  const enabled = useShortcutsEnabled()
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={enabled} onChange={(event) => setShortcutsEnabled(event.target.checked)} />
        <span>Single keys do something</span>
      </label>
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
