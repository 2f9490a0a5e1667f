/// A file of this folder: its name without `.sql`, and its text. The build fills `files` (Plugins/EmbedText); a new step
/// of the schema is a new file, numbered after the last.
package typealias File = (name: String, sql: String)
