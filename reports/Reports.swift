/// A file of this folder: its name without `.sql`, and its text. The build fills `files` (Plugins/EmbedText); a new
/// report is a new file.
package typealias File = (name: String, sql: String)
