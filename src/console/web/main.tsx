/** The console's page: one call, drawn. `?autostart=1` starts it without a click where the browser permits. */
import { render } from 'preact'
import './style/base.css'
import './style/page.css'
import './style/turn.css'
import { Call } from './talk/call.ts'
import { Page } from './view/page.tsx'

const call = new Call()
render(<Page call={call} />, document.getElementById('page')!)
// A closed tab must not leave a session open until the server notices.
addEventListener('pagehide', () => call.hangUp())
if (new URLSearchParams(location.search).get('autostart') === '1') void call.start('microphone')
else void call.look()
