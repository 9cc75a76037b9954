/** Asks for the key where the server wants one. It stays in this tab. */
import type { Call } from '../talk/call.ts'

export function KeyForm({ call }: { readonly call: Call }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key') ?? '').trim()
    if (key !== '') void call.useKey(key)
  }
  return (
    <form class="key" onSubmit={submit}>
      <label for="key">This server’s key</label>
      <div>
        <input id="key" name="key" type="password" autocomplete="off" data-testid="key-input" />
        <button type="submit" data-testid="key-use">
          Use it
        </button>
      </div>
      <small>Kept in this tab only, and gone when you close it.</small>
    </form>
  )
}
