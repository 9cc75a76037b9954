/** Which pipeline a client means by a model's name. */

/** A pipeline's name, bare or as `router/NAME`; null, the default pipeline, for any other. */
export function pipelineOf(model: string | null, hasPipeline: (name: string) => boolean): string | null {
  if (model === null) return null
  const name = model.replace(/^(?:router|inworld)\//, '')
  return hasPipeline(name) ? name : null
}
