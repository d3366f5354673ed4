import { setTheme, THEMES, useTheme, type Theme } from './theme.ts'

const NAMES: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' }

/** How the page looks: as the device does, light or dark. */
export function ThemeChoice() {
  const theme = useTheme()
  return (
    <label className="theme-choice">
      <span>Theme</span>
      <select
        aria-label="Theme"
        value={theme}
        onChange={(event) => setTheme(THEMES.find((name) => name === event.target.value) ?? 'system')}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {NAMES[name]}
          </option>
        ))}
      </select>
    </label>
  )
}
