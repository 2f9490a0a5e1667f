/// A message from a client. The formats of PROTOCOL: one parameter object, or an array of them.
struct Request {
    enum Method: String { case sub, unsub, get, set, bmp }
    enum Format: String, Hashable { case val, pct, str }
    struct Item {
        let name: String
        let format: Format?
        /// Of `set` and `bmp`: what stands beside `val`, `pct` or `str`.
        let value: ParameterValue?
    }
    /// A message that is answered with an error and nothing else.
    struct Refusal: Error {
        let code: Int
        let message: String
        let id: JSONValue?
    }

    let method: Method
    let items: [Item]
    let id: JSONValue?

    init(line: [UInt8]) throws(Refusal) {
        guard let json = JSONValue(line), case .object = json else {
            throw Refusal(code: -32700, message: "Parse error", id: nil)
        }
        id = json["id"]
        guard let name = json["method"]?.string, let method = Method(rawValue: name) else {
            throw Refusal(code: -32601, message: "Method not found", id: json["id"])
        }
        self.method = method
        let params: [JSONValue] =
            switch json["params"] {
            case .array(let elements): elements
            case .object(let members): [.object(members)]
            case .null, .bool, .number, .string, nil: []
            }
        var items: [Item] = []
        for params in params {
            guard let item = Self.item(params, of: method) else {
                throw Refusal(code: -32602, message: "Invalid params", id: json["id"])
            }
            items.append(item)
        }
        guard !items.isEmpty else { throw Refusal(code: -32602, message: "Invalid params", id: json["id"]) }
        self.items = items
    }

    private static func item(_ params: JSONValue, of method: Method) -> Item? {
        guard let name = params["param"]?.string else { return nil }
        switch method {
        case .sub, .unsub, .get:
            guard let format = params["fmt"] else { return Item(name: name, format: nil, value: nil) }
            guard let format = format.string.flatMap({ Format(rawValue: $0) }) else { return nil }
            return Item(name: name, format: format, value: nil)
        case .set, .bmp:
            for format in [Format.val, .pct, .str] {
                switch params[format.rawValue] {
                case .number(let text): return Item(name: name, format: format, value: Double(text).map { .number($0) })
                case .string(let text): return Item(name: name, format: format, value: .text(text))
                case .null, .bool, .array, .object: return nil
                case nil: continue
                }
            }
            return nil
        }
    }
}
