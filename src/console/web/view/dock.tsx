/** Where one talks from: both voices, the state in words, the call's buttons, and a line to write on. */
import { useRef } from 'preact/hooks'
import type { Call } from '../talk/call.ts'
import { stateLabel } from '../talk/state.ts'
import { KeyForm } from './key-form.tsx'
import { Ribbon } from './ribbon.tsx'

export function Dock({ call }: { readonly call: Call }) {
  const state = call.state.value
  const microphone = call.microphone.value
  const inCall = state !== 'idle' && state !== 'error'
  const toggle = () => (inCall ? call.hangUp() : void call.start('microphone'))
  return (
    <section class="dock" aria-label="Call">
      <div class="inner">
        {call.notice.value && (
          <p class="notice" role="alert">
            <span>{call.notice.value}</span>
            <button type="button" class="plain" onClick={() => (call.notice.value = '')}>
              Dismiss
            </button>
          </p>
        )}
        {call.keyNeeded.value && call.conversation.value.turns.length > 0 && <KeyForm call={call} />}
        <div class="voices">
          <p class="state" data-testid="state" data-state={state} data-microphone={microphone}>
            <i aria-hidden="true" />
            {stateLabel(state, microphone)}
          </p>
          <Ribbon call={call} />
        </div>
        <div class="controls">
          <button
            type="button"
            id="say"
            class={inCall ? 'end' : 'begin'}
            data-testid="connect"
            onClick={toggle}
          >
            {inCall ? 'Hang up' : 'Start talking'}
          </button>
          <button
            type="button"
            data-testid="mute"
            aria-pressed={microphone === 'muted'}
            disabled={microphone === 'off'}
            onClick={() => call.toggleMute()}
          >
            {microphone === 'muted' ? 'Unmute' : 'Mute'}
          </button>
          <Writing call={call} />
        </div>
      </div>
    </section>
  )
}

function Writing({ call }: { readonly call: Call }) {
  const input = useRef<HTMLInputElement>(null)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const text = input.current!.value.trim()
    if (text === '') return
    input.current!.value = ''
    void call.type(text)
  }
  return (
    <form onSubmit={submit}>
      <label class="unseen" for="text">
        Write instead of speaking
      </label>
      <input
        id="text"
        ref={input}
        data-testid="text-input"
        placeholder="Or write it"
        autocomplete="off"
        enterkeyhint="send"
        maxLength={4000}
      />
      <button type="submit" data-testid="send">
        Send
      </button>
    </form>
  )
}
