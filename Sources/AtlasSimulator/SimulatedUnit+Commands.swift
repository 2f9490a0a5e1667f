import NIOCore

/// What a unit does with a line, and what it tells by TCP.
extension SimulatedUnit {
    func received(_ line: [UInt8], from connection: UnitConnection) {
        connection.lastCommand = .now()
        let request: Request
        do throws(Request.Refusal) {
            request = try Request(line: line)
        } catch {
            statistics.unreadableLines += 1
            return answer(error: error.code, error.message, id: error.id, to: connection)
        }
        for item in request.items {
            let command = ReceivedCommand(
                method: request.method.rawValue, parameter: item.name, format: item.format?.rawValue ?? "")
            statistics.count(command)
            report(.received(unit: number, connection: connection.statistics.number, command))
        }
        if behaviour.answers { carryOut(request, for: connection) }
    }

    private func carryOut(_ request: Request, for connection: UnitConnection) {
        var known: [(index: Int, item: Request.Item)] = []
        var unknown: [String] = []
        for item in request.items {
            if let index = table.indexes[item.name] { known.append((index, item)) } else { unknown.append(item.name) }
        }
        if !unknown.isEmpty {
            let names = unknown.joined(separator: ", ")
            answer(error: -32604, "Parameter not found: \(names)", id: request.id, to: connection)
            if configuration.unknownNames == .spoilMessage { return }
        }
        guard !known.isEmpty else { return }
        let confirms = unknown.isEmpty
        switch request.method {
        case .sub:
            if confirms { confirm(request.id, to: connection) }
            subscribe(known.map { subscription($0.index, $0.item) }, for: connection)
        case .unsub:
            for (index, item) in known { connection.unsubscribe(index, item.format) }
            if confirms { confirm(request.id, to: connection) }
        case .get:
            tell(known.map { subscription($0.index, $0.item) }, id: request.id, to: connection)
        case .set, .bmp:
            let problems = known.compactMap { change($0.index, $0.item, request.method) }
            if let problem = problems.first {
                answer(error: -32602, problem, id: request.id, to: connection)
            } else if confirms {
                confirm(request.id, to: connection)
            }
        }
    }

    private func subscription(_ index: Int, _ item: Request.Item) -> Subscription {
        Subscription(parameter: index, format: item.format ?? .val)
    }

    private func isMeter(_ value: Subscription) -> Bool { table[value.parameter].kind == .meter }

    /// The first values of everything just subscribed to: meters by UDP, the rest by TCP.
    private func subscribe(_ values: [Subscription], for connection: UnitConnection) {
        for value in values { connection.subscribe(value, isMeter: isMeter(value)) }
        let others = values.filter { !isMeter($0) }
        if !others.isEmpty { connection.send(message("update", others[...], asArray: others.count > 1, id: nil)) }
        let positions = connection.meters.indices.filter { values.contains(connection.meters[$0].value) }
        sendMeters(at: positions, to: connection)
    }

    /// Answers a `get`; the keep-alive by TCP and by UDP.
    private func tell(_ values: [Subscription], id: JSONValue?, to connection: UnitConnection) {
        let others = values.filter { !isMeter($0) }
        if !others.isEmpty {
            let answer = message("getResp", others[...], asArray: true, id: id)
            connection.send(answer)
            if behaviour.sendsEchoes, others.contains(where: { table[$0.parameter].kind == .keepAlive }),
                send(answer, to: connection)
            {
                statistics.echoes += 1
                connection.statistics.echoes += 1
            }
        }
        sendMeters(values.filter(isMeter), as: "getResp", id: id, to: connection)
    }

    /// Obeys one `set` or `bmp`; returns why it does not.
    private func change(_ index: Int, _ item: Request.Item, _ method: Request.Method) -> String? {
        let format = item.format ?? .val
        guard table[index].isWritable else { return "\(item.name) is read only" }
        guard let value = item.value,
            let new = method == .bmp
                ? table.bumped(by: value, as: format, at: index) : table.suited(value, as: format, for: index)
        else { return "\(item.name) cannot have that value" }
        store(new, at: index)
        return nil
    }

    /// Changes a parameter and tells those who subscribed to it. An action is told always, and is over at once.
    func store(_ value: Parameter.Value, at index: Int) {
        let before = table[index].value
        let isNew = table.store(value, at: index)
        if case .action = table[index].kind {
            tellSubscribers(of: index)
            _ = table.store(before, at: index)
        } else if isNew {
            tellSubscribers(of: index)
        }
    }

    private func tellSubscribers(of index: Int) {
        guard behaviour.answers else { return }
        for connection in openConnections {
            for value in connection.others where value.parameter == index {
                connection.send(message("update", [value], asArray: false, id: nil))
            }
        }
    }

    // MARK: Messages

    /// `{"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1}]}` and a newline.
    func message(_ method: String, _ values: ArraySlice<Subscription>, asArray: Bool, id: JSONValue?) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(80 + values.count * 48)
        buffer.writeStaticString("{\"jsonrpc\":\"2.0\",\"method\":\"")
        buffer.writeString(method)
        buffer.writeStaticString(asArray ? "\",\"params\":[" : "\",\"params\":")
        for (position, value) in values.enumerated() {
            let parameter = table[value.parameter]
            if position > 0 { buffer.writeStaticString(",") }
            buffer.writeStaticString("{\"param\":\"")
            buffer.writeString(parameter.name)
            buffer.writeStaticString("\",")
            table.scale.write(parameter.value, as: value.format, to: &buffer)
            buffer.writeStaticString("}")
        }
        if asArray { buffer.writeStaticString("]") }
        buffer.writeEnd(id: id)
        return buffer
    }

    private func confirm(_ id: JSONValue?, to connection: UnitConnection) {
        guard let id else { return }
        var buffer = ByteBuffer(string: "{\"jsonrpc\":\"2.0\",\"result\":\"OK\"")
        buffer.writeEnd(id: id)
        connection.send(buffer)
    }

    private func answer(error code: Int, _ message: String, id: JSONValue?, to connection: UnitConnection) {
        guard behaviour.answers else { return }
        var buffer = ByteBuffer(string: "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":\(code),\"message\":")
        buffer.writeJSONString(message)
        buffer.writeStaticString("}")
        buffer.writeEnd(id: id)
        connection.send(buffer)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeEnd(id: JSONValue?) {
        if let id {
            writeStaticString(",\"id\":")
            writeJSON(id)
        }
        writeStaticString("}\n")
    }
}
