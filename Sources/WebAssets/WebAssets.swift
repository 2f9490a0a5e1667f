/// A style sheet or script of this folder: its name, and its text. The build fills `files` (Plugins/EmbedText).
package typealias File = (name: String, text: String)

/// The text of a file of this folder.
package func asset(_ name: String) -> String {
    guard let file = files.first(where: { $0.name == name }) else { preconditionFailure("\(name) is not compiled in") }
    return file.text
}
