import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The same two hops in Kafka Streams, exactly_once_v2, state in memory: SERVERS ID WARM EVENTS SOURCE INBOX JOURNAL RESULTS. */
public final class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private static final class Admit implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;

        @Override
        public void init(ProcessorContext<byte[], byte[]> told) {
            context = told;
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            context.forward(record.withValue(written(read(record.value()))));
        }
    }

    private static final class Decide implements Processor<byte[], byte[], byte[], byte[]> {
        private final int warm;
        private final int events;
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<String, Long> seen;
        private int done;
        private long wall;
        private long cpu;

        Decide(int warm, int events) {
            this.warm = warm;
            this.events = events;
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> told) {
            context = told;
            seen = told.getStateStore("seen");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            String subject = read(record.value()).get("order_id").asText();
            Long before = seen.get(subject);
            long count = before == null ? 1 : before + 1;
            seen.put(subject, count);
            String inbox = new String(record.value(), StandardCharsets.UTF_8);
            long offset = context.recordMetadata().get().offset();
            context.forward(record.withValue(bytes("{\"position\":" + offset + ",\"inbox\":" + inbox + "}")), "journal");
            String result = "{\"subject\":\"" + subject + "\",\"seen\":" + count + "}";
            context.forward(record.withValue(bytes(result)), "results");
            count();
        }

        private void count() {
            done++;
            if (done == warm) {
                wall = System.nanoTime();
                cpu = SYSTEM.getProcessCpuTime();
            } else if (done == warm + events) {
                double wallS = (System.nanoTime() - wall) / 1e9;
                double cpuS = (SYSTEM.getProcessCpuTime() - cpu) / 1e9;
                System.out.println("{\"wall_s\":" + wallS + ",\"cpu_s\":" + cpuS + "}");
                Runtime.getRuntime().halt(0);
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static JsonNode read(byte[] value) {
        try {
            return JSON.readTree(value);
        } catch (java.io.IOException error) {
            throw new IllegalArgumentException(error);
        }
    }

    private static byte[] written(JsonNode node) {
        try {
            return JSON.writeValueAsBytes(node);
        } catch (com.fasterxml.jackson.core.JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
    }

    public static void main(String[] told) throws Exception {
        int warm = Integer.parseInt(told[2]);
        int events = Integer.parseInt(told[3]);
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, told[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, told[1]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("linkage-bench-streams").toString());
        settings.put("auto.offset.reset", "earliest");
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        Topology topology = new Topology();
        topology.addSource("from-source", told[4]);
        topology.addProcessor("admit", Admit::new, "from-source");
        topology.addSink("to-inbox", told[5], "admit");
        topology.addSource("from-inbox", told[5]);
        topology.addProcessor("decide", () -> new Decide(warm, events), "from-inbox");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("seen"), Serdes.String(), Serdes.Long()),
                "decide");
        topology.addSink("journal", told[6], "decide");
        topology.addSink("results", told[7], "decide");
        new KafkaStreams(topology, settings).start();
        Thread.currentThread().join();
    }
}
