/** The embedded models: which there are, where they lie, and how to be sure of one. */
export { CATALOGUE, isModelName, MODEL_NAMES, type ModelName } from './catalogue.ts'
export { type EnsureOptions, ensureModel, givenVariable, listModels } from './ensure.ts'
export { modelFolder, modelHome } from './home.ts'
export { type ModelFiles, type ModelProgress, type ModelStatus, ModelUnavailable } from './types.ts'
