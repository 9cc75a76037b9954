/** The page: masthead, the conversation, and the dock one talks from. */
import type { Call } from '../talk/call.ts'
import { Announcer } from './announcer.tsx'
import { AttainmentLine } from './attainment.tsx'
import { Dock } from './dock.tsx'
import { Transcript } from './transcript.tsx'
import { Welcome } from './welcome.tsx'

export function Page({ call }: { readonly call: Call }) {
  const { turns } = call.conversation.value
  const pipeline = turns.findLast((turn) => turn.report)?.report?.pipeline
  return (
    <>
      <a class="skip" href="#say">
        Skip to the controls
      </a>
      <header class="masthead">
        <h1>Parley</h1>
        {pipeline && (
          <div>
            <p>
              pipeline <b>{pipeline}</b>
            </p>
            <AttainmentLine turns={turns} />
          </div>
        )}
      </header>
      <main class={turns.length === 0 ? 'empty' : ''}>
        {turns.length === 0 ? <Welcome call={call} /> : <Transcript turns={turns} />}
      </main>
      <Dock call={call} />
      <Announcer turns={turns} />
    </>
  )
}
