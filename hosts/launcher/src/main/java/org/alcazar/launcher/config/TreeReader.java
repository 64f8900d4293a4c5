package org.alcazar.launcher.config;

import org.alcazar.launcher.message.Failure;
import org.apache.commons.configuration2.BaseHierarchicalConfiguration;
import org.apache.commons.configuration2.PropertiesConfiguration.PropertiesReader;
import org.apache.commons.configuration2.YAMLConfiguration;
import org.apache.commons.configuration2.ex.ConfigurationException;
import org.apache.commons.configuration2.tree.ImmutableNode;
import org.w3c.dom.Element;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.Text;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;
import org.xml.sax.helpers.DefaultHandler;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

/** Reads a file in YAML, XML or properties form, by the end of its name, into one kind of tree. */
final class TreeReader {
    private TreeReader() {}

    /**
     * The root of the file's tree.
     *
     * @param name the file's name for messages
     */
    static ImmutableNode read(Path file, String name) throws Failure {
        String text = contents(file, name);
        String lower = name.toLowerCase(Locale.ROOT);
        try {
            if (lower.endsWith(".xml")) {
                return xml(text);
            }
            if (lower.endsWith(".properties")) {
                return properties(text);
            }
            return text.isBlank() ? new ImmutableNode.Builder().create() : yaml(text, name);
        } catch (ConfigurationException e) {
            throw new Failure(2, name + reason(e.getCause() == null ? e : e.getCause()), e);
        } catch (IOException | RuntimeException | SAXException e) {
            throw new Failure(2, name + reason(e), e);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String contents(Path file, String name) throws Failure {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new Failure(2, name + ": there is no such file", e);
        } catch (CharacterCodingException e) {
            throw new Failure(2, name + ": is not a text file in UTF-8", e);
        } catch (IOException e) {
            String why = Files.isDirectory(file) ? "is a folder, not a file" : "cannot be read";
            throw new Failure(2, name + ": " + why, e);
        }
    }

    private static ImmutableNode yaml(String text, String name)
            throws ConfigurationException, Failure {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        YAMLConfiguration yaml = new YAMLConfiguration();
        yaml.read(new StringReader(text), options);
        refuseLists(text, name);
        return root(yaml);
    }

    /** The tree does not tell a list of one from its entry, so the text has to. */
    private static void refuseLists(String text, String name) throws Failure {
        if (!(new Yaml().compose(new StringReader(text)) instanceof MappingNode root)) {
            return;
        }
        for (NodeTuple entry : root.getValue()) {
            if (entry.getKeyNode() instanceof ScalarNode key
                    && entry.getValueNode() instanceof SequenceNode
                    && GuestKey.of(key.getValue()).filter(k -> !k.repeatable()).isPresent()) {
                throw Failure.usage(
                        name + ": " + key.getValue() + ": must be one value, not a list");
            }
        }
    }

    private static ImmutableNode xml(String text)
            throws IOException, ParserConfigurationException, SAXException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
        // A description has no use for entities, and they would read other files.
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(new DefaultHandler()); // throws what is fatal, prints nothing
        // Not by XMLConfiguration: its loader wants more libraries than this is worth.
        return node(builder.parse(new InputSource(new StringReader(text))).getDocumentElement());
    }

    private static ImmutableNode node(Element element) {
        ImmutableNode.Builder node = new ImmutableNode.Builder().name(element.getTagName());
        NamedNodeMap attributes = element.getAttributes();
        for (int i = 0; i < attributes.getLength(); i++) {
            node.addAttribute(attributes.item(i).getNodeName(), attributes.item(i).getNodeValue());
        }
        StringBuilder text = new StringBuilder();
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element below) {
                node.addChild(node(below));
            } else if (child instanceof Text) {
                text.append(child.getNodeValue());
            }
        }
        String value = text.toString().strip();
        return (value.isEmpty() ? node : node.value(value)).create();
    }

    private static ImmutableNode properties(String text) throws IOException {
        ImmutableNode.Builder root = new ImmutableNode.Builder();
        try (Reader in = new StringReader(text);
                PropertiesReader reader = new PropertiesReader(in)) {
            while (reader.nextProperty()) {
                root.addChild(
                        new ImmutableNode.Builder()
                                .name(reader.getPropertyName())
                                .value(reader.getPropertyValue())
                                .create());
            }
        }
        return root.create();
    }

    private static ImmutableNode root(BaseHierarchicalConfiguration configuration) {
        return configuration.getNodeModel().getNodeHandler().getRootNode();
    }

    /** One line out of a parser's exception, beginning with the line number if there is one. */
    private static String reason(Throwable e) {
        return switch (e) {
            case MarkedYAMLException yaml when yaml.getProblemMark() != null ->
                    ":%d: %s"
                            .formatted(
                                    yaml.getProblemMark().getLine() + 1,
                                    oneLine(yaml.getProblem()));
            case YAMLException yaml -> ": is not YAML: " + oneLine(yaml.getMessage());
            case SAXParseException xml ->
                    ":%d: %s".formatted(xml.getLineNumber(), oneLine(xml.getMessage()));
            case ClassCastException wrong -> ": must be keys with values, as in 'memory: 512M'";
            default -> ": " + oneLine(e.getMessage());
        };
    }

    private static String oneLine(@org.jspecify.annotations.Nullable String message) {
        return message == null ? "cannot be understood" : message.strip().replaceAll("\\s+", " ");
    }
}
